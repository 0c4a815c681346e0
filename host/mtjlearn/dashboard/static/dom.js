/* Elements of the page. Text of boards and runs is set as text, never as HTML. */

export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), value);
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value);
    }
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/* Sets text only where it differs, so that selections and screen readers are left in peace. */
export function say(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

export function show(element, visible) {
  element.hidden = !visible;
}

/* A badge: its word says what its colour says. */
export function badge(element, text, kind = "") {
  say(element, text);
  element.className = `badge ${kind}`;
}

/* A list of names and values, in place: `rows` is a list of pairs, null values are omitted. */
export function figures(list, rows) {
  const wanted = rows.filter(([, value]) => value !== null && value !== undefined && value !== "");
  const names = wanted.map(([name]) => name).join("\n");
  if (list.dataset.names !== names) {
    list.dataset.names = names;
    list.replaceChildren(...wanted.map(([name]) => h("div", {}, h("dt", {}, name), h("dd"))));
  }
  wanted.forEach(([, value], place) => say(list.children[place].lastChild, value));
}

/* Items of a plain list, replaced only when they differ. */
export function lines(list, texts) {
  const joined = texts.join("\n");
  if (list.dataset.texts !== joined) {
    list.dataset.texts = joined;
    list.replaceChildren(...texts.map((text) => h("li", {}, text)));
  }
  show(list, texts.length > 0);
}

/* Says something to those who listen to the page. */
export function announce(text) {
  document.getElementById("said").textContent = text;
}

/* Keeps one child of `host` per key, in order: made by `make`, updated by its `update`, removed when its key is gone. */
export class Cards {
  constructor(host, make, nothing) {
    this.host = host;
    this.make = make;
    this.nothing = h("p", { class: "nothing" }, nothing);
    this.cards = new Map();
  }

  update(values, key) {
    const wanted = new Set(values.map(key));
    for (const [name, card] of this.cards) {
      if (!wanted.has(name)) {
        card.element.remove();
        this.cards.delete(name);
      }
    }
    values.forEach((value, place) => {
      const name = key(value);
      if (!this.cards.has(name)) {
        this.cards.set(name, this.make(value));
      }
      const card = this.cards.get(name);
      if (this.host.children[place] !== card.element) {
        this.host.insertBefore(card.element, this.host.children[place] ?? null);
      }
      card.update(value);
    });
    if (values.length === 0) {
      this.host.replaceChildren(this.nothing);
    } else {
      this.nothing.remove();
    }
  }
}
