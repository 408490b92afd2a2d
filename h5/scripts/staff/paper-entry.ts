/**
 * Key paper without a mouse: one key for each answer, a full line leads on, Enter goes to the next line.
 * On the last line Enter goes to the button that saves. A key that the form does not know stays out.
 */
export class PaperEntry {
  private readonly fields: HTMLInputElement[];
  private readonly width: number;

  constructor(private readonly form: HTMLFormElement) {
    this.fields = Array.from(form.querySelectorAll<HTMLInputElement>("input.paper_keys"));
    this.width = Number(form.dataset.width || 0);
    this.fields.forEach((field, place) => {
      field.addEventListener("keydown", (event) => this.press(event, place));
      if (this.width) field.addEventListener("input", () => this.read(field, place));
    });
    const first = this.fields.filter((field) => field.getAttribute("aria-invalid") || !field.value)[0];
    if (first) first.focus();
  }

  private press(event: KeyboardEvent, place: number): void {
    if (event.key === "Enter" || event.key === "ArrowDown") {
      event.preventDefault();
      this.go(place + 1);
    } else if (event.key === "ArrowUp" || (event.key === "Backspace" && !this.fields[place]?.value)) {
      event.preventDefault();
      this.go(place - 1);
    }
  }

  /** Tell at once when a line is full; a star stands for a whole spoiled ballot. */
  private read(field: HTMLInputElement, place: number): void {
    const isFull = field.value.length >= this.width || field.value === "*";
    field.classList.toggle("paper_keys_full", isFull);
    if (isFull && field.selectionStart === field.value.length) this.go(place + 1);
  }

  private go(place: number): void {
    const field = this.fields[place];
    if (field) {
      field.focus();
      field.select();
    } else if (place > 0) {
      const button = this.form.querySelector<HTMLButtonElement>("button[type=submit]");
      if (button) button.focus();
    }
  }
}
