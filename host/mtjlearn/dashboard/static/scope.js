/* The noise of a board: oscilloscope, histogram, autocorrelation, figures and verdict. */

import { Chart } from "./chart.js";
import { badge, figures, h, lines, show } from "./dom.js";
import { digits, percent, small } from "./format.js";

const KINDS = { good: "good", usable: "warn", unusable: "bad" };

export class Scope {
  constructor() {
    this.trace = new Chart({ title: "Noise now", x: "ms", y: "mV", height: 170 });
    this.levels = new Chart({ title: "Histogram", x: "mV", y: "share", height: 150, bars: true, range: (u, least, most) => [0, most] });
    this.memory = new Chart({ title: "Autocorrelation", x: "lag (codes)", y: "correlation", height: 150, points: true, range: [-0.25, 1] });
    this.verdict = h("span");
    this.health = h("p", { class: "health" });
    this.hints = h("ul", { class: "hints" });
    this.figures = h("dl");
    this.element = h("div", { class: "scope" },
      h("p", {}, "Noise: ", this.verdict),
      this.health, this.hints, this.trace.element,
      h("div", { class: "pair" }, this.levels.element, this.memory.element),
      this.figures);
  }

  update({ trace, findings, health, silent }) {
    badge(this.verdict, health.fault ?? findings?.verdict ?? "listening", health.fault ? "bad" : KINDS[findings?.verdict] ?? "");
    this.health.textContent = silent ?? (health.fault || health.faults > 0 ? `The board's own tests: ${health.text}` : "");
    show(this.health, this.health.textContent !== "");
    lines(this.hints, (findings?.hints ?? []).filter((text) => !text.startsWith("the board's own tests")));
    if (trace) {
      const x = trace.millivolts.map((_, place) => 1000 * place * trace.interval);
      this.trace.update([{ name: "voltage", x, y: trace.millivolts }]);
    }
    if (findings) {
      const { histogram, autocorrelation, levels } = findings;
      this.levels.update([{ name: "share", x: histogram.millivolts, y: histogram.shares }]);
      const known = autocorrelation.map((value, lag) => [lag, value]).filter(([, value]) => value !== null);
      this.memory.update([{ name: "correlation", x: known.map(([lag]) => lag), y: known.map(([, value]) => value) }]);
      figures(this.figures, [
        ["levels", `${digits(levels[0], 3)} and ${digits(levels[1], 3)} mV`],
        ["high", percent(findings.duty)],
        ["switches", findings.switching_rate === null ? null : `${digits(findings.switching_rate, 3)} per s`],
        ["correlation time", small(findings.correlation_time)],
        ["min-entropy of a code", `${digits(findings.min_entropy, 2)} bit`],
      ]);
    }
  }
}
