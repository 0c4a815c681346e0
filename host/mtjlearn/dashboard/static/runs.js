/* The list of runs, and the curves of those that are chosen, over each other. */

import { read } from "./api.js";
import { Chart } from "./chart.js";
import { badge, h, say, show } from "./dom.js";
import { moment, percent, digits } from "./format.js";
import { curvesOf } from "./training.js";

const KINDS = { running: "live", finished: "good", interrupted: "warn", failed: "bad", damaged: "bad" };
const MOST = 12;

export class Runs {
  constructor(section) {
    this.overlay = section.querySelector(".overlay");
    this.loss = new Chart({ title: "Loss", x: "steps", y: "loss", height: 240, log: true });
    this.accuracy = new Chart({ title: "Test accuracy", x: "steps", y: "accuracy", height: 240, range: (u, least) => [Math.max(0, Math.min(0.95, least - 0.05)), 1] });
    this.text = h("p", { role: "status" });
    this.charts = h("div", { class: "pair" }, this.loss.element, this.accuracy.element);
    this.overlay.append(this.text, this.charts);
    this.body = h("tbody");
    const heads = ["compare", "run", "of", "seed", "started", "state", "result"].map((name) => h("th", { scope: "col" }, name));
    section.querySelector(".table").append(h("table", {}, h("thead", {}, h("tr", {}, ...heads)), this.body));
    this.rows = new Map();
    this.chosen = new Map();
    this.draw();
  }

  update({ folder, runs, problem }) {
    this.folder = folder;
    this.trouble = problem;
    const listed = new Set(runs.map((run) => run.run));
    for (const [name, row] of this.rows) {
      if (!listed.has(name)) {
        row.remove();
        this.rows.delete(name);
        this.chosen.delete(name);
      }
    }
    runs.forEach((run, place) => {
      const row = this.rows.get(run.run) ?? this.row(run);
      this.rows.set(run.run, row);
      if (this.body.children[place] !== row) {
        this.body.insertBefore(row, this.body.children[place] ?? null);
      }
      const [, , of, seed, started, state, result] = row.children;
      say(of, run.name ?? "");
      say(seed, run.seed === undefined ? "" : String(run.seed));
      say(started, moment(run.started));
      badge(state.firstChild, run.state, KINDS[run.state]);
      say(result, outcome(run));
    });
    this.draw();
  }

  row(run) {
    const box = h("input", { type: "checkbox", "aria-label": `compare ${run.run}`, onchange: (event) => this.choose(run.run, event.target) });
    const cells = [h("td", {}, box), h("th", { scope: "row" }, run.run)];
    return h("tr", {}, ...cells, h("td"), h("td"), h("td"), h("td", {}, h("span")), h("td"));
  }

  async choose(name, box) {
    if (!box.checked) {
      this.chosen.delete(name);
    } else if (this.chosen.size === MOST) {
      box.checked = false;
      this.problem = `at most ${MOST} runs are compared`;
    } else {
      this.problem = "";
      try {
        this.chosen.set(name, await read(`runs/${encodeURIComponent(name)}`));
      } catch (error) {
        box.checked = false;
        this.problem = error.message;
      }
    }
    this.draw();
  }

  draw() {
    const found = [...this.chosen.values()];
    const label = (run) => (found.length > 1 ? `${run.name} s${run.seed} ` : "");
    const losses = found.flatMap((run) => curvesOf(run.curves, { loss: "board", reference_loss: "float" }, label(run)));
    const accuracies = found.flatMap((run) => curvesOf(run.curves, { test_accuracy: "board", reference_test_accuracy: "float" }, label(run)));
    this.loss.update(losses);
    this.accuracy.update(accuracies);
    show(this.charts, found.length > 0);
    show(this.accuracy.element, accuracies.length > 0);
    const hint = this.rows.size > 0 ? "Choose runs below to compare their curves." : `There are no runs in ${this.folder ?? "the directory"} yet.`;
    say(this.text, this.trouble || this.problem || (found.length > 0 ? "" : hint));
  }
}

function outcome(run) {
  const parts = [
    run.test_accuracy === undefined ? "" : `accuracy ${percent(run.test_accuracy)}`,
    run.reference_test_accuracy === undefined ? "" : `float ${percent(run.reference_test_accuracy)}`,
    run.test_r2 === undefined ? "" : `R² ${digits(run.test_r2, 3)}`,
    run.verdict === undefined ? "" : `${run.verdict} source`,
    run.error ?? "",
  ];
  return parts.filter((part) => part).join(", ");
}
