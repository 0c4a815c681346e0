/* Curves with uPlot: their figure, their colours, their size, and what is in them in words and as a table. */

import { h, say } from "./dom.js";
import { digits } from "./format.js";
import { colour } from "./theme.js";

const SPREAD = 10; // a loss that spans more than this factor is drawn on a logarithmic axis
const ROWS = 20;
const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3]];
export const COLOURS = 6;

export class Chart {
  /* `options`: title, x and y (labels of the axes), height, log (where the values spread), range [least, most] of y,
     bars (a histogram) and points (values as dots on stems). */
  constructor(options) {
    this.options = options;
    this.legend = h("span", { class: "legend" });
    this.value = h("span", { class: "value" });
    this.plot = h("div", { class: "plot painted", role: "img", ontheme: () => this.uplot?.redraw(false, true) });
    this.table = h("table");
    this.details = h("details", { ontoggle: () => this.tabulate() }, h("summary", {}, "Values"), this.table);
    const caption = h("figcaption", {}, h("strong", {}, options.title), " ", this.legend, this.value);
    this.element = h("figure", { class: "chart" }, caption, this.plot, this.details);
    this.curves = [];
    new ResizeObserver(() => this.resize()).observe(this.plot);
  }

  /* `curves`: list of { name, x, y }; all with the same number of x as of y. */
  update(curves) {
    this.curves = curves.filter((curve) => curve.x.length > 0);
    const log = this.options.log === true && spreads(this.curves);
    const shape = `${log}|${this.curves.map((curve) => curve.name).join("|")}`;
    if (shape !== this.shape || !this.uplot) {
      this.shape = shape;
      this.build(log);
    } else {
      this.uplot.setData(this.data(log));
    }
    const text = this.curves.length === 0 ? "nothing yet" : this.curves.map((curve) => describe(curve, this.options.x)).join("; ");
    this.plot.setAttribute("aria-label", `${this.options.title}: ${text}`);
    if (this.details.open) {
      this.tabulate();
    }
  }

  data(log) {
    if (this.curves.length === 0) {
      return [[], []];
    }
    const tables = this.curves.map(({ x, y }) => [x, log ? y.map((value) => (value > 0 ? value : null)) : y]);
    return tables.length === 1 ? tables[0] : uPlot.join(tables);
  }

  build(log) {
    this.uplot?.destroy();
    const { x, y, range, height = 180 } = this.options;
    const axis = (label, more) => ({
      label, labelSize: 18, labelFont: "12px system-ui", font: "11px system-ui", labelGap: 0,
      stroke: () => colour("muted"), grid: { stroke: () => colour("grid"), width: 1 }, ticks: { stroke: () => colour("grid"), width: 1 },
      ...more,
    });
    const named = this.curves.length > 0 ? this.curves : [{ name: "" }];
    this.uplot = new uPlot({
      width: Math.max(120, this.plot.clientWidth), height, legend: { show: false },
      padding: [8, 10, 0, 0],
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
      scales: { x: { time: false }, y: { distr: log ? 3 : 1, ...(range && { range }) } },
      axes: [
        axis(x, { size: 30, values: (self, values) => values.map((value) => short(value)) }),
        axis(y, { size: 48, values: (self, values) => values.map((value) => (value === null ? "" : short(value))) }),
      ],
      series: [{}, ...named.map((curve, place) => this.series(curve, place))],
      hooks: { setCursor: [(self) => this.point(self)] },
    }, this.data(log), this.plot);
    this.legend.replaceChildren(...(this.curves.length > 1 ? this.curves.map((curve, place) => key(curve.name, place)) : []));
  }

  series(curve, place) {
    const stroke = () => colour(`c${place % COLOURS}`);
    const shared = { label: curve.name, stroke, width: 1.5, spanGaps: true, points: { show: () => this.curves[place]?.x.length === 1, size: 7 } };
    if (this.options.bars) {
      return { ...shared, fill: stroke, paths: uPlot.paths.bars({ size: [0.9, 40] }), points: { show: false } };
    }
    if (this.options.points) {
      return { ...shared, paths: uPlot.paths.bars({ size: [0.15, 2] }), points: { show: true, size: 5, fill: stroke } };
    }
    return { ...shared, dash: DASHES[Math.floor(place / COLOURS) % DASHES.length] };
  }

  /* What is below the cursor. */
  point(self) {
    const place = self.cursor.idx;
    const shown = place === null || place === undefined ? [] : self.data.slice(1).map((values) => values[place]);
    const texts = shown.filter((value) => value !== null && value !== undefined).map((value) => digits(value));
    say(this.value, texts.length > 0 ? `${short(self.data[0][place])}: ${texts.join(", ")}` : "");
  }

  resize() {
    const width = this.plot.clientWidth;
    if (this.uplot && width > 0 && width !== this.uplot.width) {
      this.uplot.setSize({ width, height: this.options.height ?? 180 });
    }
  }

  tabulate() {
    if (!this.details.open) {
      return;
    }
    const rows = this.curves.flatMap(({ name, x, y }) => thinned(x.length).map((place) => [name, x[place], y[place]]));
    const cells = rows.map((row) => h("tr", {}, h("td", {}, row[0]), h("td", {}, digits(row[1], 7)), h("td", {}, digits(row[2]))));
    const heads = ["curve", this.options.x, this.options.y].map((text) => h("th", { scope: "col" }, text));
    this.table.replaceChildren(h("thead", {}, h("tr", {}, ...heads)), h("tbody", {}, ...cells));
  }
}

function key(name, place) {
  return h("span", { class: `key k${place % COLOURS}${place >= COLOURS ? " dashed" : ""}` }, name);
}

function spreads(curves) {
  const values = curves.flatMap((curve) => curve.y.filter((value) => value > 0));
  return values.length > 0 && Math.max(...values) / Math.min(...values) > SPREAD;
}

function describe({ name, x, y }, unit) {
  const last = y.length - 1;
  return `${name} ${digits(y[0])} to ${digits(y[last])}, ${unit} ${digits(x[0], 7)} to ${digits(x[last], 7)}`;
}

function thinned(length) {
  const step = Math.max(1, Math.ceil(length / ROWS));
  return Array.from({ length: Math.ceil(length / step) }, (_, place) => Math.min(length - 1, place * step));
}

function short(value) {
  const size = Math.abs(value);
  return size >= 1e6 ? `${digits(value / 1e6, 3)} M` : size >= 1e4 ? `${digits(value / 1e3, 3)} k` : digits(value);
}
