type Values = { [name: string]: string };

interface Kept {
  revision: string;
  values: Values;
}

/** What was written and not saved stays on this device, and is offered when the form is opened again. */
export class KeptDraft {
  private readonly key = `letter:${window.location.pathname}`;
  private readonly offer = document.querySelector<HTMLElement>("[data-kept]");

  constructor(
    private readonly form: HTMLFormElement,
    private readonly changed: () => void,
  ) {
    const kept = this.read();
    if (kept && kept.revision === this.revision && differs(kept.values, this.values())) this.show(kept);
    else this.forget();
  }

  keep(): void {
    const kept: Kept = { revision: this.revision, values: this.values() };
    try {
      window.localStorage.setItem(this.key, JSON.stringify(kept));
    } catch (error) {
      // A full or forbidden store: the form itself still has everything.
    }
  }

  private get revision(): string {
    const field = this.form.elements.namedItem("revision") || this.form.elements.namedItem("organization_code");
    return field instanceof HTMLInputElement ? field.value : "";
  }

  private fields(): (HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement)[] {
    return Array.from(this.form.querySelectorAll<HTMLInputElement>("input:not([type=hidden]), textarea, select"));
  }

  private values(): Values {
    const values: Values = {};
    for (const field of this.fields()) values[field.name] = field.value;
    return values;
  }

  private read(): Kept | null {
    try {
      return JSON.parse(window.localStorage.getItem(this.key) || "null") as Kept | null;
    } catch (error) {
      return null;
    }
  }

  private forget(): void {
    forgetDraft(this.key);
  }

  private show(kept: Kept): void {
    const offer = this.offer;
    if (!offer) return;
    offer.hidden = false;
    const answer = (part: string, act: () => void): void => {
      const button = offer.querySelector<HTMLElement>(part);
      if (button)
        button.addEventListener("click", () => {
          act();
          offer.hidden = true;
        });
    };
    answer("[data-kept-restore]", () => this.restore(kept.values));
    answer("[data-kept-discard]", () => this.forget());
  }

  private restore(values: Values): void {
    for (const field of this.fields()) {
      if (!(field.name in values)) continue;
      field.value = values[field.name] || "";
      const fold = field.closest("details");
      if (fold && field.value) fold.open = true;
    }
    this.changed();
  }
}

/** A draft that the server has taken needs no copy. */
export function forgetDraft(key: string): void {
  try {
    window.localStorage.removeItem(key);
  } catch (error) {
    // Nothing was kept where nothing may be stored.
  }
}

function differs(one: Values, other: Values): boolean {
  return Object.keys(one).some((name) => one[name] !== other[name]);
}
