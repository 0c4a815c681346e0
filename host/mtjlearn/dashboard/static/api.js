/* The server: every address is relative, so that the token in the page's own address goes with it. */

export async function read(path) {
  const answer = await fetch(path);
  const found = await answer.json();
  if (!answer.ok) {
    throw new Error(found.error);
  }
  return found;
}

export async function act(action, asked) {
  const answer = await fetch(`actions/${action}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(asked),
  });
  const found = await answer.json().catch(() => ({ error: `the server answers ${answer.status}` }));
  if (!answer.ok) {
    throw new Error(found.error);
  }
  return found;
}

/* Follows all topics. `heard` gets a topic and its newest value, once per frame; `state` gets open, waiting or closed. */
export class Events {
  constructor(heard, state) {
    this.heard = heard;
    this.waiting = new Map();
    this.paused = false;
    this.source = new EventSource("events");
    this.source.onopen = () => state("open");
    this.source.onerror = () => state(this.source.readyState === EventSource.CLOSED ? "closed" : "waiting");
    this.source.onmessage = (event) => {
      const { topic, value } = JSON.parse(event.data);
      this.waiting.set(topic, value);
      this.plan();
    };
    document.addEventListener("visibilitychange", () => this.plan());
  }

  pause(paused) {
    this.paused = paused;
    this.plan();
  }

  plan() {
    if (this.planned || this.paused || document.hidden || this.waiting.size === 0) {
      return;
    }
    this.planned = true;
    requestAnimationFrame(() => {
      this.planned = false;
      const heard = [...this.waiting];
      this.waiting.clear();
      for (const [topic, value] of heard) {
        try {
          this.heard(topic, value);
        } catch (error) {
          console.error(topic, error); // a run from elsewhere may say anything; the others are shown
        }
      }
    });
  }
}
