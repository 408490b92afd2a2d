/** Above a long table: a field that hides the rows whose text lacks what is typed. */
const FEWEST_ROWS = 12;

export class RowFilter {
  private readonly rows: HTMLTableRowElement[];

  constructor(table: HTMLElement) {
    this.rows = Array.from(table.querySelectorAll<HTMLTableRowElement>("tbody tr"));
    const box = table.parentElement;
    if (this.rows.length > FEWEST_ROWS && box) box.insertAdjacentElement("beforebegin", this.field(table));
  }

  private field(table: HTMLElement): HTMLElement {
    const field = document.createElement("input");
    field.type = "search";
    field.className = "input filter";
    field.placeholder = table.dataset.label || "";
    field.setAttribute("aria-label", field.placeholder);
    field.addEventListener("input", () => this.show(field.value.trim()));
    return field;
  }

  private show(wanted: string): void {
    for (const row of this.rows) row.hidden = (row.textContent || "").indexOf(wanted) < 0;
  }
}
