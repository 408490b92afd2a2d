import { forgetDraft } from "./kept-draft";
import { LetterForm } from "./letter-form";
import { PaperEntry } from "./paper-entry";
import { RowFilter } from "./row-filter";
import { Shortcuts } from "./shortcuts";

const modules: { [name: string]: (element: HTMLElement) => unknown } = {
  "row-filter": (element) => new RowFilter(element),
  "letter-form": (element) => new LetterForm(element as HTMLFormElement),
  "paper-entry": (element) => new PaperEntry(element as HTMLFormElement),
  "forget-draft": (element) => forgetDraft(element.dataset.key || ""),
  shortcuts: () => new Shortcuts(),
};

for (const element of Array.from(document.querySelectorAll<HTMLElement>("[data-module]"))) {
  const start = modules[element.dataset.module || ""];
  if (start) start(element);
}

// On a phone the sections are one line: the one that is open has to be seen.
const here = document.querySelector(".top__link[aria-current]");
if (here) here.scrollIntoView({ block: "nearest", inline: "center" });
