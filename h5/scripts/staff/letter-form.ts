import { KeptDraft } from "./kept-draft";

const PAUSE_MS = 600;

/** The form of a letter: shows what villagers will see while it is written, and keeps it on this device. */
export class LetterForm {
  private readonly preview = document.querySelector<HTMLElement>("[data-preview]");
  private timer = 0;
  private asked = 0;

  constructor(private readonly form: HTMLFormElement) {
    const kept = new KeptDraft(form, () => this.refresh());
    form.addEventListener("input", () => {
      kept.keep();
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(() => this.refresh(), PAUSE_MS);
    });
  }

  private refresh(): void {
    const number = ++this.asked;
    const fields = new URLSearchParams();
    new FormData(this.form).forEach((value, name) => fields.append(name, String(value)));
    fetch(this.form.dataset.previewUrl || "", { method: "POST", body: fields, credentials: "same-origin" })
      .then((answer) => (answer.redirected || answer.status === 403 ? null : answer.ok ? answer.text() : ""))
      .then((page) => {
        if (number === this.asked) this.show(page);
      })
      .catch(() => undefined);
  }

  /** What comes is a page of our own server, in which everything that was typed is escaped. */
  private show(page: string | null): void {
    if (!this.preview || page === "") return;
    if (page === null) this.preview.textContent = this.form.dataset.expired || "";
    else this.preview.innerHTML = page;
  }
}
