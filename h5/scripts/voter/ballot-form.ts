import { type Answers, readAnswers, readValues, writeValues } from "./answers";
import type { BallotQueue } from "./ballot-queue";
import { checkAnswers, type FieldError } from "./checks";
import type { Entry, FieldErrors, Outcome } from "./delivery";
import type { Draft, Drafts } from "./drafts";
import { DraftOffer } from "./draft-offer";
import { ErrorSummary } from "./error-summary";
import { canMakeSecrets } from "./secret";
import { SendingPanel } from "./sending-panel";

const SAVE_PAUSE_MS = 300;

/** The ballot: keeps the draft, checks before sending, hands over to the queue and shows what came of it. */
export class BallotForm {
  private readonly form: HTMLFormElement;
  private readonly fillIn: HTMLElement;
  private readonly summary: ErrorSummary;
  private readonly panel: SendingPanel;
  private readonly pageUrl: string;
  private readonly ticket: string;
  private isSending = false;
  private saveTimer = 0;

  constructor(
    private readonly element: HTMLElement,
    private readonly queue: BallotQueue,
    private readonly drafts: Drafts,
  ) {
    this.form = element.querySelector("[data-fill] form") as HTMLFormElement;
    this.fillIn = element.querySelector("[data-fill]") as HTMLElement;
    this.pageUrl = this.form.getAttribute("action") as string;
    this.ticket = (this.form.elements.namedItem("ticket") as HTMLInputElement).value;
    const panel = element.querySelector("[data-sending]") as HTMLElement;
    this.panel = new SendingPanel(panel, () => queue.sendNow(this.ticket));
    const summary = element.querySelector("[data-errors]") as HTMLElement;
    this.summary = new ErrorSummary(summary, this.form);
    // Without the means to make a secret the page stays the plain form that it is.
    if (canMakeSecrets()) this.enhance();
  }

  private enhance(): void {
    this.form.noValidate = true;
    this.form.addEventListener("submit", (event) => this.submit(event));
    this.form.addEventListener("input", (event) => this.edited(event));
    this.form.addEventListener("change", (event) => this.edited(event));
    window.addEventListener("pagehide", () => this.saveDraft());
    this.queue.listen((entry, outcome) => this.settled(entry, outcome));
    const offer = this.element.querySelector("[data-draft]") as HTMLElement;
    const resume = (draft: Draft): void => writeValues(this.form, draft.values);
    new DraftOffer(offer, this.drafts, this.queue, this.pageUrl, resume);
  }

  private edited(event: Event): void {
    const field = (event.target as HTMLElement).closest("[data-field]") as HTMLElement | null;
    if (field) this.summary.clearField(field);
    window.clearTimeout(this.saveTimer);
    this.saveTimer = window.setTimeout(() => this.saveDraft(), SAVE_PAUSE_MS);
  }

  private saveDraft(): void {
    if (!this.saveTimer || this.isSending) return;
    window.clearTimeout(this.saveTimer);
    this.saveTimer = 0;
    this.drafts.save(this.ticket, this.pageUrl, readValues(this.form));
  }

  /** A second tap finds the ballot on its way and does nothing. */
  private submit(event: Event): void {
    event.preventDefault();
    if (this.isSending) return;
    const errors = checkAnswers(this.form, this.element.dataset);
    this.summary.show(errors);
    if (errors.length) return;
    this.saveDraft();
    this.send(readAnswers(this.form));
  }

  private send(answers: Answers): void {
    this.isSending = true;
    this.fillIn.hidden = true;
    const { apiUrl, organizationCode } = this.element.dataset;
    const isKept = this.queue.add({
      page_url: this.pageUrl,
      api_url: apiUrl as string,
      ticket: this.ticket,
      answers,
      organization_code: organizationCode,
    });
    this.panel.showSending(isKept);
  }

  private settled(entry: Entry, outcome: Outcome): void {
    if (entry.ticket === this.ticket) this.settledHere(outcome);
    else if (outcome.kind === "delivered" && entry.page_url === this.pageUrl && this.isUntouched()) {
      this.openReceipt(outcome.receipt);
    }
  }

  private settledHere(outcome: Outcome): void {
    switch (outcome.kind) {
      case "delivered":
        this.form.reset();
        this.panel.release();
        this.openReceipt(outcome.receipt);
        break;
      case "invalid":
        this.mend(outcome.detail, outcome.errors);
        break;
      case "rejected":
        this.refuse(outcome.code, outcome.detail);
        break;
      case "sign_in":
        window.location.assign(outcome.url);
        break;
      default:
        this.panel.showWaiting();
    }
  }

  private mend(detail: string, errors: FieldErrors): void {
    this.isSending = false;
    this.fillIn.hidden = false;
    this.panel.hide();
    const names = Object.keys(errors);
    const found: FieldError[] = names.map((name) => ({ name, message: (errors[name] || []).join("") }));
    this.summary.show(found.length ? found : [{ name: "", message: detail }]);
  }

  /** Replaces the form in the history, so that going back shows no answers. */
  private openReceipt(receipt: string): void {
    window.location.replace(`${this.element.dataset.receiptUrl}${encodeURIComponent(receipt)}`);
  }

  /** Where one code rates several subjects the way leads on to the next. */
  private refuse(code: string, detail: string): void {
    const hasMore = Boolean(this.element.dataset.organizationCode);
    this.panel.showRejected(detail, code === "already_submitted", hasMore);
  }

  private isUntouched(): boolean {
    return !this.isSending && !Object.keys(readValues(this.form)).length;
  }
}
