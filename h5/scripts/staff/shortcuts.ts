/** Keys for people who sort many cases: J and K walk the list, a marked key chooses, sends or begins to write. */
const WRITING = ["INPUT", "TEXTAREA", "SELECT"];

export class Shortcuts {
  constructor() {
    document.addEventListener("keydown", (event) => this.press(event));
  }

  private press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || this.isWriting(event.target as HTMLElement)) return;
    const key = event.key.toLowerCase();
    const done = key === "j" ? this.step(1) : key === "k" ? this.step(-1) : this.use(key);
    if (done) event.preventDefault();
  }

  private isWriting(target: HTMLElement): boolean {
    const isChoice = (target as HTMLInputElement).type === "radio";
    return WRITING.indexOf(target.tagName) >= 0 && !isChoice;
  }

  private step(by: number): boolean {
    const rows = Array.from(document.querySelectorAll<HTMLElement>("[data-row]"));
    const here = rows.indexOf(document.activeElement as HTMLElement);
    const next = rows[here < 0 ? 0 : here + by];
    if (next) next.focus();
    return Boolean(next);
  }

  private use(key: string): boolean {
    if (!/^[a-z0-9]$/.test(key)) return false;
    const found = document.querySelector<HTMLElement>(`[data-key="${key}"]`);
    if (!found) return false;
    const field = found.querySelector<HTMLElement>("textarea");
    if (field) field.focus();
    else found.click();
    return true;
  }
}
