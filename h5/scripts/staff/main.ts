import { RowFilter } from "./row-filter";

const modules: { [name: string]: (element: HTMLElement) => unknown } = {
  "row-filter": (element) => new RowFilter(element),
};

for (const element of Array.from(document.querySelectorAll<HTMLElement>("[data-module]"))) {
  const start = modules[element.dataset.module || ""];
  if (start) start(element);
}
