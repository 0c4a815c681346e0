/* Dark, light, or as the system has it. Whatever is painted, of class `painted`, hears of a change. */

const NAMES = ["system", "light", "dark"];

export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function changed() {
  for (const element of document.querySelectorAll(".painted")) {
    element.dispatchEvent(new Event("theme"));
  }
}

export function startTheme(button) {
  let chosen = 0;
  const set = (place) => {
    chosen = place;
    document.documentElement.dataset.theme = NAMES[place];
    button.textContent = `Theme: ${NAMES[place]}`;
    changed();
  };
  button.addEventListener("click", () => set((chosen + 1) % NAMES.length));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  set(0);
}
