import type { BallotQueue } from "./ballot-queue";
import type { Entry, Outcome } from "./delivery";
import { fill } from "./texts";

/** Says on every page how many ballots have not arrived, and what became of those of earlier pages. */
export class QueueBanner {
  private readonly results: HTMLElement[] = [];

  constructor(
    private readonly element: HTMLElement,
    private readonly queue: BallotQueue,
  ) {
    queue.listen((entry, outcome) => this.tell(entry, outcome));
  }

  private tell(entry: Entry, outcome: Outcome): void {
    if (!isOfThisPage(entry)) this.keepResult(entry, outcome);
    this.element.textContent = "";
    this.results.forEach((result) => this.element.appendChild(result));
    const count = this.queue.entries.length;
    if (count) this.element.appendChild(line(fill(this.element.dataset.pending, { count })));
  }

  private keepResult(entry: Entry, outcome: Outcome): void {
    const { delivered, rejected, receipt, reopen } = this.element.dataset;
    if (outcome.kind === "delivered") {
      this.results.push(line(delivered, receipt, `/r/${encodeURIComponent(outcome.receipt)}`));
    } else if (outcome.kind === "invalid" || outcome.kind === "rejected") {
      this.results.push(line(fill(rejected, { detail: outcome.detail }), reopen, entry.page_url));
    }
  }
}

/** The form itself says what became of its own ballot. */
function isOfThisPage(entry: Entry): boolean {
  const ticket = document.querySelector<HTMLInputElement>("input[name=ticket]");
  return ticket !== null && ticket.value === entry.ticket;
}

function line(sentence: string | undefined, label?: string, url?: string): HTMLElement {
  const paragraph = document.createElement("p");
  paragraph.textContent = sentence || "";
  if (!label || !url) return paragraph;
  const link = document.createElement("a");
  link.href = url;
  link.textContent = label;
  paragraph.appendChild(link);
  return paragraph;
}
