import type { FormValues } from "./answers";
import type { Store } from "./store";

const PREFIX = "ballot-draft:";
const LIFETIME_MS = 24 * 60 * 60 * 1000;

export interface Draft {
  code: string;
  saved_at: number;
  values: FormValues;
}

/** Answers not sent yet, keyed by the ticket of their page, with the entrance code beside. */
export class Drafts {
  constructor(private readonly store: Store) {
    this.eraseExpired();
  }

  save(ticket: string, code: string, values: FormValues): void {
    this.store.write(PREFIX + ticket, { code, saved_at: Date.now(), values });
  }

  erase(ticket: string): void {
    this.store.erase(PREFIX + ticket);
  }

  eraseAllOf(code: string): void {
    this.ticketsOf(code).forEach((ticket) => this.erase(ticket));
  }

  ticketsOf(code: string): string[] {
    return this.tickets().filter((ticket) => (this.read(ticket) as Draft).code === code);
  }

  /** The newest draft of the code; the tickets of ballots that are on their way are left out. */
  latest(code: string, exceptTickets: string[]): Draft | null {
    const found = this.ticketsOf(code)
      .filter((ticket) => !exceptTickets.includes(ticket))
      .map((ticket) => this.read(ticket) as Draft);
    return found.sort((a, b) => b.saved_at - a.saved_at)[0] || null;
  }

  private eraseExpired(): void {
    const oldest = Date.now() - LIFETIME_MS;
    for (const key of this.store.keys(PREFIX)) {
      const draft = this.store.read<Draft>(key);
      if (!draft || draft.saved_at < oldest) this.store.erase(key);
    }
  }

  private tickets(): string[] {
    return this.store.keys(PREFIX).map((key) => key.slice(PREFIX.length)).filter((ticket) => this.read(ticket));
  }

  private read(ticket: string): Draft | null {
    return this.store.read<Draft>(PREFIX + ticket);
  }
}
