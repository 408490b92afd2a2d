const GROUP = 4;

/** Repeats a typed code in groups, so that it can be compared with the paper. */
export class CodeEcho {
  private readonly input: HTMLInputElement;
  private readonly output: HTMLElement;

  constructor(private readonly element: HTMLElement) {
    this.input = document.getElementById(element.dataset.for as string) as HTMLInputElement;
    this.output = element.querySelector("output") as HTMLElement;
    this.input.addEventListener("input", () => this.update());
    this.update();
  }

  private update(): void {
    const letters = plainLetters(this.input.value);
    this.output.textContent = (letters.match(new RegExp(`.{1,${GROUP}}`, "g")) || []).join("-");
    this.element.hidden = !letters;
  }
}

/** Crockford's alphabet has no I, L and O, and full-width letters come from Chinese keyboards. */
function plainLetters(typed: string): string {
  return typed
    .replace(/[\uff01-\uff5e]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) - 0xfee0))
    .toUpperCase()
    .replace(/[IL]/g, "1")
    .replace(/O/g, "0")
    .replace(/[^0-9A-Z]/g, "");
}
