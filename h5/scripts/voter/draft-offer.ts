import type { BallotQueue } from "./ballot-queue";
import type { Draft, Drafts } from "./drafts";

/** Asks whether the draft on this phone is one's own: a phone is often shared, so nothing is shown before. */
export class DraftOffer {
  constructor(
    private readonly element: HTMLElement,
    private readonly drafts: Drafts,
    queue: BallotQueue,
    private readonly pageUrl: string,
    private readonly resume: (draft: Draft) => void,
  ) {
    const draft = drafts.latest(pageUrl, queue.entries.map((entry) => entry.ticket));
    if (draft) this.offer(draft);
  }

  private offer(draft: Draft): void {
    this.element.hidden = false;
    this.onTap("[data-draft-resume]", () => this.resume(draft));
    this.onTap("[data-draft-discard]", () => undefined);
  }

  /** Either way the old draft goes; a resumed one is saved again under the ticket of this page. */
  private onTap(selector: string, action: () => void): void {
    (this.element.querySelector(selector) as HTMLElement).addEventListener("click", () => {
      this.drafts.eraseAllOf(this.pageUrl);
      this.element.hidden = true;
      action();
    });
  }
}
