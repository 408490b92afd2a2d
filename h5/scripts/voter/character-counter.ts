import { fill } from "./texts";

/** Says how much of the allowed length is used. */
export class CharacterCounter {
  private readonly input: HTMLTextAreaElement;

  constructor(private readonly element: HTMLElement) {
    this.input = document.getElementById(element.dataset.for as string) as HTMLTextAreaElement;
    this.input.addEventListener("input", () => this.update());
    element.hidden = false;
    this.update();
  }

  private update(): void {
    this.element.textContent = fill(this.element.dataset.text, { used: this.input.value.length });
  }
}
