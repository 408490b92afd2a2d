import type { FieldError } from "./checks";
import { fill } from "./texts";

/** The list of what to mend, and the same sentence at each field. */
export class ErrorSummary {
  private readonly list: HTMLElement;

  constructor(
    private readonly element: HTMLElement,
    private readonly form: HTMLElement,
  ) {
    this.list = element.querySelector("ul") as HTMLElement;
    this.list.addEventListener("click", (event) => this.follow(event));
    if (!element.hidden) element.focus();
  }

  show(errors: FieldError[]): void {
    this.clear();
    errors.forEach((error) => this.add(error));
    this.element.hidden = !errors.length;
    if (errors.length) this.element.focus();
  }

  /** A mended field must not go on saying that it is wrong. */
  clearField(field: HTMLElement): void {
    this.mark(field, "");
  }

  private clear(): void {
    this.list.textContent = "";
    const wrong = this.form.querySelectorAll<HTMLElement>(".field_error");
    Array.from(wrong).forEach((field) => this.mark(field, ""));
  }

  private add({ name, message }: FieldError): void {
    const field = document.getElementById(`q-${name}`);
    const { line } = this.element.dataset;
    const place = document.createElement("li");
    const words = document.createElement(field ? "a" : "span");
    words.textContent = field ? fill(line, { question: this.legendOf(field), message }) : message;
    if (field) {
      words.setAttribute("href", `#q-${name}`);
      this.mark(field, message);
    }
    place.appendChild(words);
    this.list.appendChild(place);
  }

  private legendOf(field: HTMLElement): string {
    const legend = field.querySelector(".field__legend, .field__row");
    const words = legend && legend.firstChild ? legend.firstChild.textContent : "";
    return (words || "").trim();
  }

  private mark(field: HTMLElement, message: string): void {
    const place = document.getElementById(`e-${field.dataset.field}`);
    if (place) {
      place.textContent = message;
      place.hidden = !message;
    }
    field.classList.toggle("field_error", Boolean(message));
    const typed = field.querySelector(".input");
    if (typed) typed.setAttribute("aria-invalid", String(Boolean(message)));
  }

  private follow(event: Event): void {
    const link = event.target as HTMLElement;
    const field = document.getElementById((link.getAttribute("href") || "#").slice(1));
    if (!field) return;
    event.preventDefault();
    (field.querySelector("input, textarea") as HTMLElement).focus();
    field.scrollIntoView();
    // The bar with the progress stays at the top and would cover the question.
    window.scrollBy(0, -window.innerHeight / 4);
  }
}
