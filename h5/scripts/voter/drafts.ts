import type { FormValues } from "./answers";
import type { Store } from "./store";

const PREFIX = "ballot-draft:";
const LIFETIME_MS = 24 * 60 * 60 * 1000;

export interface Draft {
  page_url: string;
  saved_at: number;
  values: FormValues;
}

/** Answers not sent yet, keyed by the ticket of their page, with its address (and so the code) beside. */
export class Drafts {
  constructor(private readonly store: Store) {
    this.eraseExpired();
  }

  save(ticket: string, pageUrl: string, values: FormValues): void {
    this.store.write(PREFIX + ticket, { page_url: pageUrl, saved_at: Date.now(), values });
  }

  erase(ticket: string): void {
    this.store.erase(PREFIX + ticket);
  }

  eraseAllOf(pageUrl: string): void {
    this.ticketsOf(pageUrl).forEach((ticket) => this.erase(ticket));
  }

  /** The newest draft of the page; the tickets of ballots that are on their way are left out. */
  latest(pageUrl: string, exceptTickets: string[]): Draft | null {
    const found = this.ticketsOf(pageUrl)
      .filter((ticket) => !exceptTickets.includes(ticket))
      .map((ticket) => this.read(ticket));
    return found.sort((a, b) => b.saved_at - a.saved_at)[0] || null;
  }

  private eraseExpired(): void {
    const oldest = Date.now() - LIFETIME_MS;
    for (const key of this.store.keys(PREFIX)) {
      const draft = this.store.read<Draft>(key);
      if (!draft || draft.saved_at < oldest) this.store.erase(key);
    }
  }

  private ticketsOf(pageUrl: string): string[] {
    const tickets = this.store.keys(PREFIX).map((key) => key.slice(PREFIX.length));
    return tickets.filter((ticket) => this.read(ticket).page_url === pageUrl);
  }

  private read(ticket: string): Draft {
    return this.store.read<Draft>(PREFIX + ticket) || { page_url: "", saved_at: 0, values: {} };
  }
}
