import { valuesOf } from "./answers";

/** Shows an item only while another one has one of the named answers. */
export class ShowIf {
  private readonly controlling: HTMLElement | null;
  private readonly options: string[];

  constructor(private readonly element: HTMLElement) {
    const { showItem, showOptions } = element.dataset;
    this.controlling = document.querySelector(`[data-item="${showItem}"]`);
    this.options = (showOptions || "").split(" ");
    const form = element.closest("form") as HTMLElement;
    form.addEventListener("input", () => this.update());
    form.addEventListener("change", () => this.update());
    this.update();
  }

  /** Items follow the page's order, so one that hangs on a hidden item is hidden in the same round. */
  private update(): void {
    const isShown =
      this.controlling !== null &&
      !this.controlling.hidden &&
      valuesOf(this.controlling).some((value) => this.options.includes(value));
    this.element.hidden = !isShown;
    for (const control of Array.from(this.element.querySelectorAll<HTMLInputElement>("[name]"))) {
      control.disabled = !isShown;
    }
  }
}
