/* Trainings: those that run now, wherever they were started, and the form that starts one. */

import { Chart } from "./chart.js";
import { announce, badge, Cards, figures, h, lines, say } from "./dom.js";
import { button, Form } from "./forms.js";
import { count, digits, duration, percent } from "./format.js";
import { HeatMap } from "./heatmap.js";

const KINDS = { running: "live", finished: "good", interrupted: "warn", failed: "bad" };
const LOSSES = { loss: "board", test_loss: "test part", reference_loss: "float reference", evaluation_loss: "without noise" };
const ACCURACIES = { test_accuracy: "board", reference_test_accuracy: "float reference", accuracy: "its dataset" };

export function curvesOf(curves, names, prefix = "") {
  return Object.entries(names).filter(([name]) => curves[name]).map(([name, label]) => ({
    name: prefix + label, x: curves[name].map(([step]) => step), y: curves[name].map(([, value]) => value),
  }));
}

class TrainingCard {
  constructor({ run }) {
    this.state = h("span");
    this.title = h("h3");
    this.bar = h("progress", { max: 1, "aria-label": "steps done" });
    this.figures = h("dl");
    this.events = h("ul", { class: "hints" });
    this.loss = new Chart({ title: "Loss", x: "steps", y: "loss", log: true });
    this.accuracy = new Chart({ title: "Accuracy", x: "steps", y: "accuracy", range: (u, least) => [Math.max(0, Math.min(0.95, least - 0.05)), 1] });
    this.maps = h("div", { class: "heatmaps" });
    this.layers = [];
    this.element = h("article", { class: "card", "aria-label": `training ${run}` },
      h("div", { class: "head" }, this.title, this.state),
      h("p", { class: "kind" }, run), this.bar, this.figures, this.events,
      h("div", { class: "pair" }, this.loss.element, this.accuracy.element), this.maps);
  }

  update(training) {
    const net = training.sizes ? `, ${training.sizes.join("-")}` : "";
    say(this.title, `${training.name}${net}`);
    badge(this.state, training.state, KINDS[training.state]);
    if (this.last && this.last !== training.state) {
      announce(`training ${training.name}: ${training.state}`);
    }
    this.last = training.state;
    this.bar.hidden = !training.total;
    this.bar.value = training.total ? training.step / training.total : 0;
    const { result } = training;
    const value = (name) => training.curves[name]?.at(-1)?.[1];
    figures(this.figures, [
      ["board", training.board],
      ["rule", training.rule],
      ["steps", training.total ? `${count(training.step)} of ${count(training.total)}` : count(training.step)],
      ["epoch", training.epochs ? `${count(training.epoch)} of ${count(training.epochs)}` : count(training.epoch)],
      ["loss", digits(value("loss") ?? value("reference_loss"))],
      ["test accuracy", percent(result.test_accuracy ?? value("test_accuracy") ?? value("reference_test_accuracy"))],
      ["correct", percent(result.accuracy ?? value("accuracy"))],
      ["float reference", percent(result.reference_test_accuracy)],
      ["test R²", digits(result.test_r2, 3)],
      ["steps per s", count(training.rate)],
      ["time left", duration(training.left)],
      ["skipped", count(training.skipped)],
      ["saturations", count(training.saturations)],
    ]);
    const events = training.events.map((event) => event.event === "noise_fault"
      ? `step ${count(event.step)}: the noise source is broken (${event.fault}); learning waits`
      : `step ${count(event.step)}: ${event.event}`);
    lines(this.events, [...events, training.error, training.problem].filter((text) => text));
    this.loss.update(curvesOf(training.curves, LOSSES));
    const accuracies = curvesOf(training.curves, ACCURACIES);
    this.accuracy.element.hidden = accuracies.length === 0;
    this.accuracy.update(accuracies);
  }

  weigh(layers) {
    if (layers.length !== this.layers.length) {
      this.layers = layers.map(() => new HeatMap());
      this.maps.replaceChildren(...this.layers.map((map) => map.element));
    }
    layers.forEach((layer, place) => this.layers[place].update(layer, place + 1));
  }
}

export class Trainings {
  constructor(section) {
    this.start = section.querySelector(".start");
    this.cards = new Cards(section.querySelector(".cards"), (training) => new TrainingCard(training),
      "Nothing trains in this directory of runs. Whatever mtjlearn train starts, in any terminal, appears here.");
    this.weights = {};
    this.list = h("ul", { class: "started" });
  }

  configure({ control, choices }) {
    if (!control || this.form) {
      return;
    }
    this.virtual = choices.boards;
    this.form = new Form({
      title: "Start a training", button: "Start", action: "train",
      fields: [
        { name: "data", label: "Data", kind: "choice", choices: choices.data, value: "iris" },
        { name: "target", label: "Target column of a file", kind: "text", optional: true },
        { name: "board", label: "Board", kind: "choice", choices: choices.boards },
        { name: "rule", label: "Rule", kind: "choice", choices: choices.rules },
        { name: "epochs", label: "Epochs", kind: "number", least: 1, optional: true },
        { name: "seed", label: "Seed", kind: "number", value: 0 },
      ],
      done: () => "started; its run appears below",
    });
    this.start.replaceChildren(this.form.element, this.list);
  }

  offer(boards) {
    this.form?.offer("board", [...boards, ...this.virtual]);
  }

  started(children) {
    const key = JSON.stringify(children);
    if (this.list.dataset.key !== key) {
      this.list.dataset.key = key;
      this.list.replaceChildren(...children.map((child) => this.child(child)));
    }
  }

  child({ number, words, state, text }) {
    const result = h("output");
    const stop = state === "running" ? button("Stop", "stop", () => ({ number }), result, () => "stopping") : null;
    const what = words.at(-1);
    stop?.setAttribute("aria-label", `Stop training ${number}, ${what}`);
    return h("li", {}, `${number}. ${what} on ${words[1]}: ${state} ${text} `, stop, result);
  }

  update(trainings) {
    this.cards.update(trainings, (training) => training.run);
    this.weigh(this.weights);
  }

  weigh(weights) {
    this.weights = weights;
    for (const [run, layers] of Object.entries(weights)) {
      this.cards.cards.get(run)?.weigh(layers);
    }
  }
}
