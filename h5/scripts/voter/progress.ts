import { valuesOf, visibleFields } from "./answers";
import { fill } from "./texts";

/** Counts the required questions that have an answer. */
export class Progress {
  private readonly form: HTMLElement;
  private readonly words: HTMLElement;
  private readonly bar: HTMLProgressElement;

  constructor(private readonly element: HTMLElement) {
    this.form = element.closest("form") as HTMLElement;
    this.words = element.querySelector("span") as HTMLElement;
    this.bar = element.querySelector("progress") as HTMLProgressElement;
    this.form.addEventListener("input", () => this.update());
    this.form.addEventListener("change", () => this.update());
    this.update();
  }

  private update(): void {
    const required = visibleFields(this.form).filter((field) => field.dataset.required !== undefined);
    const total = required.length;
    const done = required.filter((field) => valuesOf(field).length).length;
    const { text, done: allDone } = this.element.dataset;
    this.element.hidden = !total;
    this.words.textContent = done === total ? allDone || "" : fill(text, { done, total });
    this.bar.max = total || 1;
    this.bar.value = done;
  }
}
