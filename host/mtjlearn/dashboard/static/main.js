/* Starts the page: each topic of the server goes to the part that shows it. */

import { Events } from "./api.js";
import { Boards } from "./boards.js";
import { announce, badge } from "./dom.js";
import { Runs } from "./runs.js";
import { startTheme } from "./theme.js";
import { Trainings } from "./training.js";

const element = (id) => document.getElementById(id);
const boards = new Boards(element("boards"));
const trainings = new Trainings(element("training"));
const runs = new Runs(element("runs"));

const BOARD = "board:";
const topics = {
  page(page) {
    badge(element("mode"), page.control ? "may control" : "read-only", page.control ? "warn" : "");
    boards.configure(page);
    trainings.configure(page);
  },
  boards(rows) {
    boards.update(rows);
    trainings.offer(boards.list);
  },
  trainings(views) {
    trainings.update(views);
    boards.use(views);
  },
  weights: (layers) => trainings.weigh(layers),
  started: (children) => trainings.started(children),
  runs: (list) => runs.update(list),
};

function heard(topic, value) {
  if (topic.startsWith(BOARD)) {
    boards.hear(topic.slice(BOARD.length), value);
  } else {
    topics[topic]?.(value);
  }
}

const LINKS = { open: ["live", "good"], waiting: ["reconnecting", "warn"], closed: ["the server has ended", "bad"] };
let before = "open";
const events = new Events(heard, (state) => {
  badge(element("link"), ...LINKS[state]);
  if (state !== before) {
    before = state;
    announce(`the page is ${LINKS[state][0]}`);
  }
});

element("pause").addEventListener("click", ({ target }) => {
  const paused = target.getAttribute("aria-pressed") !== "true";
  target.setAttribute("aria-pressed", String(paused));
  events.pause(paused);
});
startTheme(element("theme"));
