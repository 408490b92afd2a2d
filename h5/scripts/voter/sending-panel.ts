type State = "sending" | "waiting" | "rejected";

/** Stands in place of the form while its ballot is on its way, and when it was not accepted. */
export class SendingPanel {
  private readonly heading: HTMLElement;
  private readonly sentence: HTMLElement;
  private readonly retry: HTMLElement;
  private isKept = true;

  constructor(
    private readonly element: HTMLElement,
    sendNow: () => void,
  ) {
    this.heading = this.part("heading");
    this.sentence = this.part("sentence");
    this.retry = this.part("retry");
    this.retry.addEventListener("click", () => {
      this.show("sending", this.sentence.dataset.sending);
      sendNow();
    });
    window.addEventListener("beforeunload", (event) => {
      if (!this.isKept) event.returnValue = "";
    });
  }

  /** `isKept`: the ballot would survive the closing of the page. */
  showSending(isKept: boolean): void {
    this.isKept = isKept;
    this.show("sending", this.sentence.dataset.sending);
    this.element.focus();
  }

  showWaiting(): void {
    this.show("waiting", this.isKept ? this.sentence.dataset.waiting : this.sentence.dataset.unsaved);
  }

  /** Whoever is told that the vote has been cast may say that it was not he, and is led to the other ways. */
  showRejected(detail: string, isSpent: boolean, hasMore: boolean): void {
    this.release();
    this.show("rejected", detail);
    this.part("dispute").hidden = !isSpent;
    this.part("ways").hidden = !isSpent || hasMore;
    this.part("reopen").hidden = isSpent && !hasMore;
    this.element.focus();
  }

  hide(): void {
    this.release();
    this.element.hidden = true;
  }

  /** Nothing is left that the closing of the page could lose. */
  release(): void {
    this.isKept = true;
  }

  private show(state: State, sentence: string | undefined): void {
    this.element.hidden = false;
    this.heading.textContent = this.heading.dataset[state] || "";
    this.sentence.textContent = sentence || "";
    this.part("spinner").hidden = state !== "sending";
    this.part("waiting").hidden = state !== "waiting";
    this.part("rejected").hidden = state !== "rejected";
    this.retry.hidden = state !== "waiting";
    this.part("reopen").hidden = state !== "rejected";
    this.part("ways").hidden = true;
    this.part("dispute").hidden = true;
  }

  private part(name: string): HTMLElement {
    return this.element.querySelector(`[data-part="${name}"]`) as HTMLElement;
  }
}
