/* Weights of a layer as a heat map: a row is a unit, the last column its bias; blue is negative, orange positive. */

import { h, say } from "./dom.js";
import { count, digits } from "./format.js";
import { colour } from "./theme.js";

export class HeatMap {
  constructor() {
    this.canvas = h("canvas", { class: "painted", role: "img", ontheme: () => this.paint() });
    this.caption = h("figcaption");
    this.element = h("figure", { class: "heatmap" }, this.caption, this.canvas);
  }

  update(layer, number) {
    this.layer = layer;
    const saturated = layer.saturated === 0 ? "none saturated" : `${count(layer.saturated)} saturated`;
    const averaged = layer.rows * layer.columns < layer.units * (layer.inputs + 1) ? ", neighbours averaged" : "";
    const range = `${digits(layer.least, 3)} to ${digits(layer.most, 3)}`;
    say(this.caption, `Layer ${number}: ${layer.units} × (${layer.inputs} + bias), ${range}, ${saturated}${averaged}`);
    this.canvas.setAttribute("aria-label", `Weights of layer ${number}: ${layer.units} units, ${layer.inputs} inputs; ${range}; ${saturated}`);
    this.paint();
  }

  paint() {
    const { rows, columns, values } = this.layer ?? { rows: 0 };
    if (rows === 0) {
      return;
    }
    this.canvas.width = columns;
    this.canvas.height = rows;
    this.canvas.style.aspectRatio = `${columns} / ${rows}`;
    const context = this.canvas.getContext("2d");
    const image = context.createImageData(columns, rows);
    const most = values.reduce((found, value) => Math.max(found, Math.abs(value)), 1e-9);
    const [none, low, high] = ["heat-none", "heat-low", "heat-high"].map((name) => parts(colour(name)));
    values.forEach((value, place) => {
      const end = value < 0 ? low : high;
      const share = Math.sqrt(Math.abs(value) / most);
      for (let part = 0; part < 3; part += 1) {
        image.data[4 * place + part] = Math.round(none[part] + share * (end[part] - none[part]));
      }
      image.data[4 * place + 3] = 255;
    });
    context.putImageData(image, 0, 0);
  }
}

function parts(hex) {
  return [1, 3, 5].map((place) => parseInt(hex.slice(place, place + 2), 16));
}
