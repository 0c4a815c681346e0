/* The boards: a card for each that is watched, and the ports that could be. */

import { Autonomy } from "./autonomy.js";
import { announce, badge, Cards, h, say, show } from "./dom.js";
import { button, Form } from "./forms.js";
import { count } from "./format.js";
import { Scope } from "./scope.js";

const STATES = { here: ["here", "good"], away: ["away", "bad"], busy: ["in use elsewhere", "warn"], lent: ["training", "live"],
  released: ["released", ""], opening: ["opening", ""] };

class BoardCard {
  constructor({ name, description }, page) {
    this.name = name;
    this.title = h("h3", {}, name);
    this.kind = h("p", { class: "kind" }, description);
    this.state = h("span");
    this.text = h("p", { class: "health" });
    this.scope = new Scope();
    this.autonomy = new Autonomy();
    this.said = {};
    this.element = h("article", { class: "card", "aria-label": `board ${name}` },
      h("div", { class: "head" }, this.title, this.state), this.kind, this.text);
    if (page.control) {
      this.element.append(this.controls(page.choices));
    }
    this.element.append(this.autonomy.element, this.scope.element);
    show(this.autonomy.element, false);
    show(this.scope.element, false);
  }

  controls(choices) {
    const asked = () => ({ board: this.name });
    const result = h("output");
    const saved = ({ file, steps }) => `saved after ${count(steps)} steps: ${file}`;
    this.learn = new Form({
      title: "Learn autonomously", button: "Start", action: "learn", asked, result,
      fields: [
        { name: "data", label: "Data or task", kind: "choice", choices: choices.tasks.concat(choices.data), value: "iris" },
        { name: "epochs", label: "Epochs", kind: "number", least: 1, optional: true },
        { name: "seed", label: "Seed", kind: "number", value: 0 },
      ],
      done: ({ net }) => `${net} learns on the board`,
    });
    this.halt = button("Stop learning", "halt", asked, result, () => "stopped; a checkpoint is saved");
    this.save = button("Save a checkpoint", "checkpoint", asked, result, saved);
    this.release = button("Release the port", "release", asked, result, () => "released");
    this.again = button("Watch", "watch", asked, result, () => "");
    return h("div", { class: "controls" }, this.halt, this.save, this.release, this.again, result, this.learn.element);
  }

  /* The row of the list of boards. */
  update({ description }) {
    this.description = description;
    this.describe();
  }

  describe() {
    const { info, description } = this;
    const firmware = info ? `firmware ${info.build}, ${count(info.adc_rate)} codes per s, start number ${info.starts}` : "";
    say(this.kind, [firmware, description].filter((text) => text).join("; "));
  }

  /* Which training has its port, where the directory of runs says so. */
  use(run) {
    this.user = run;
    if (this.busy) {
      say(this.text, run ? `In use by ${run}, which is shown under Training. This page takes the port when it is free.` : this.busy);
    }
  }

  /* What was seen of it. */
  hear(seen) {
    const [word, kind] = STATES[seen.state];
    badge(this.state, word, kind);
    const here = seen.state === "here";
    say(this.text, here && seen.text ? `The board is back: ${seen.text}` : seen.text);
    show(this.text, seen.text !== "");
    this.busy = seen.state === "busy" ? seen.text : "";
    this.use(this.user);
    show(this.scope.element, here);
    show(this.autonomy.element, here && seen.autonomous !== null);
    if (here) {
      this.info = seen.info;
      this.describe();
      say(this.title, seen.info.name === this.name ? this.name : `${seen.info.name} at ${this.name}`);
      this.scope.update(seen);
      if (seen.autonomous) {
        this.autonomy.update(seen.autonomous, seen.health.fault);
      }
    }
    if (this.learn) {
      const learns = here && seen.autonomous?.running === true;
      show(this.learn.element, here && !learns && seen.info.memory > 0);
      show(this.halt, learns);
      show(this.save, here && seen.configured && seen.info.memory > 0);
      show(this.release, here);
      show(this.again, seen.state === "released");
    }
    this.tell(word, here ? seen.health.fault : null);
  }

  tell(word, fault) {
    if (this.said.word !== undefined && this.said.word !== word) {
      announce(`board ${this.name}: ${word}`);
    } else if (this.said.fault !== undefined && this.said.fault !== fault) {
      announce(`board ${this.name}: noise ${fault ?? "healthy again"}`);
    }
    this.said = { word, fault };
  }
}

export class Boards {
  constructor(section) {
    this.others = section.querySelector(".others");
    this.seen = new Map();
    this.page = { control: false };
    this.list = [];
    this.cards = new Cards(section.querySelector(".cards"), (row) => this.card(row), "No board is watched. Start the page with --board NAME.");
  }

  configure(page) {
    this.page = page;
  }

  card(row) {
    const card = new BoardCard(row, this.page);
    if (this.seen.has(row.name)) {
      card.hear(this.seen.get(row.name));
    }
    return card;
  }

  update(rows) {
    this.list = rows.map((row) => row.name);
    this.cards.update(rows.filter((row) => row.watched), (row) => row.name);
    const free = rows.filter((row) => !row.watched);
    const names = free.map((row) => row.name).join("\n");
    if (this.others.dataset.names !== names) {
      this.others.dataset.names = names;
      this.others.replaceChildren(...(free.length > 0 ? [h("h3", {}, "Other ports"), h("ul", {}, ...free.map((row) => this.port(row)))] : []));
    }
  }

  port({ name, description }) {
    const result = h("output");
    const watch = this.page.control ? button("Watch", "watch", () => ({ board: name }), result, () => "") : null;
    return h("li", {}, h("strong", {}, name), ` ${description} `, watch, result);
  }

  /* The trainings that run now. */
  use(trainings) {
    const users = new Map(trainings.filter(({ state }) => state === "running").map(({ port, run }) => [port, run]));
    for (const [name, card] of this.cards.cards) {
      card.use(users.get(name));
    }
  }

  hear(name, seen) {
    this.seen.set(name, seen);
    this.cards.cards.get(name)?.hear(seen);
  }
}
