/* What --control adds: forms and buttons that ask the server to do something, and say what came of it. */

import { act } from "./api.js";
import { announce, h, say } from "./dom.js";

let made = 0;

/* A field of a form: { name, label, kind: "choice" | "number" | "text", choices, value, optional }. */
function control(field) {
  if (field.kind === "choice") {
    const select = h("select", { name: field.name }, ...field.choices.map((choice) => h("option", { value: choice }, choice)));
    select.value = field.value ?? field.choices[0];
    return select;
  }
  const type = field.kind === "number" ? "number" : "text";
  return h("input", { name: field.name, type, value: field.value ?? "", min: field.kind === "number" ? field.least ?? 0 : null,
    placeholder: field.optional ? "default" : null, required: !field.optional });
}

function valueOf(field, input) {
  if (field.kind !== "number") {
    return input.value === "" && field.optional ? null : input.value;
  }
  return input.value === "" ? null : Number(input.value);
}

export class Form {
  /* `asked` adds to what the fields say; `done` gets the server's answer and returns a sentence; `result` shows it, elsewhere
     than in the form if that may vanish. */
  constructor({ title, button, action, fields, asked = () => ({}), done = () => "done", result = null }) {
    this.inputs = fields.map((field) => [field, control(field)]);
    this.result = result ?? h("output");
    const labels = this.inputs.map(([field, input]) => {
      input.id = `field${(made += 1)}`;
      return h("div", { class: "field" }, h("label", { for: input.id }, field.label), input);
    });
    const submit = h("button", { type: "submit" }, button);
    this.form = h("form", { onsubmit: (event) => this.send(event) }, ...labels, submit, result === null ? this.result : null);
    this.element = h("details", { class: "form" }, h("summary", {}, title), this.form);
    Object.assign(this, { action, asked, done });
  }

  /* Offers other choices, and keeps the one that was made. */
  offer(name, choices) {
    const [, select] = this.inputs.find(([field]) => field.name === name);
    if ([...select.options].map((option) => option.value).join("\n") !== choices.join("\n")) {
      const chosen = select.value;
      select.replaceChildren(...choices.map((choice) => h("option", { value: choice }, choice)));
      select.value = choices.includes(chosen) ? chosen : choices[0];
    }
  }

  async send(event) {
    event.preventDefault();
    const fields = Object.fromEntries(this.inputs.map(([field, input]) => [field.name, valueOf(field, input)]));
    await perform(this.result, this.action, { ...fields, ...this.asked() }, this.done);
  }
}

/* A button that asks for something; what came of it is said in `result`. */
export function button(text, action, asked, result, done = () => "done") {
  return h("button", { type: "button", onclick: () => perform(result, action, asked(), done) }, text);
}

async function perform(result, action, asked, done) {
  result.className = "";
  say(result, "…");
  try {
    say(result, done(await act(action, asked)));
  } catch (error) {
    result.className = "failed";
    say(result, error.message);
  }
  announce(result.textContent);
}
