import { BallotForm } from "./ballot-form";
import { BallotQueue } from "./ballot-queue";
import { CharacterCounter } from "./character-counter";
import { CodeEcho } from "./code-echo";
import { Drafts } from "./drafts";
import { ElderMode } from "./elder-mode";
import { Progress } from "./progress";
import { QueueBanner } from "./queue-banner";
import { ReadAloud } from "./read-aloud";
import { ShowIf } from "./show-if";
import { Store } from "./store";

const store = new Store();
const drafts = new Drafts(store);
const queue = new BallotQueue(store, drafts);

const modules: { [name: string]: (element: HTMLElement) => unknown } = {
  "elder-mode": (element) => new ElderMode(element, store),
  "queue-banner": (element) => new QueueBanner(element, queue),
  "ballot-form": (element) => new BallotForm(element, queue, drafts),
  "show-if": (element) => new ShowIf(element),
  counter: (element) => new CharacterCounter(element),
  progress: (element) => new Progress(element),
  "read-aloud": (element) => new ReadAloud(element),
  "code-echo": (element) => new CodeEcho(element),
};

for (const element of Array.from(document.querySelectorAll<HTMLElement>("[data-module]"))) {
  const start = modules[element.dataset.module || ""];
  if (start) start(element);
}
queue.start();
