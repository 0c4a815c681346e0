/* A board that learns autonomously: how far it is, its curve, how long it still takes. */

import { Chart } from "./chart.js";
import { badge, figures, h } from "./dom.js";
import { count, digits, duration, percent } from "./format.js";

export class Autonomy {
  constructor() {
    this.state = h("span");
    this.bar = h("progress", { max: 1, "aria-label": "steps done" });
    this.figures = h("dl");
    this.curve = new Chart({ title: "Loss on the board", x: "steps", y: "loss", height: 150, log: true });
    this.element = h("div", { class: "autonomy" }, h("p", {}, "Autonomous learning: ", this.state), this.bar, this.figures, this.curve.element);
  }

  update(learning, fault) {
    const why = learning.stop_reason === "none" ? "" : ` (${learning.stop_reason})`;
    if (learning.running && fault) {
      badge(this.state, "waits for healthy noise", "warn");
    } else {
      badge(this.state, learning.running ? learning.activity : `${learning.activity}${why}`, learning.running ? "live" : "");
    }
    if (learning.total) {
      this.bar.value = learning.steps / learning.total;
    } else {
      this.bar.removeAttribute("value");
    }
    this.bar.hidden = !learning.running;
    figures(this.figures, [
      ["task", learning.task],
      ["steps", learning.total ? `${count(learning.steps)} of ${count(learning.total)}` : count(learning.steps)],
      ["epochs", count(learning.epoch)],
      ["loss", digits(learning.epoch_loss)],
      ["correct", percent(learning.accuracy)],
      ["steps per s", learning.running ? count(learning.rate) : null],
      ["time left", learning.running ? duration(learning.left) || "never stops" : null],
      ["rate (eta)", digits(learning.learning_rate, 3)],
    ]);
    this.curve.update([{ name: "loss", x: learning.curve.steps, y: learning.curve.losses }]);
  }
}
