import { deliver, type Entry, type Outcome } from "./delivery";
import type { Drafts } from "./drafts";
import { newSecret } from "./secret";
import type { Store } from "./store";

const PREFIX = "ballot-queue:";
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 120_000;
// A village comes back online at the same moment; the jitter spreads it.
const JITTER = 0.5;

export type Listener = (entry: Entry, outcome: Outcome) => void;

interface Delivery {
  entry: Entry;
  failures: number;
  notBefore: number;
  isUnderWay: boolean;
  timer: number;
}

/**
 * Saves every ballot before it is sent and sends it until the service has decided.
 *
 * Each ballot has a key of its own in the store, so that several tabs cannot overwrite one another; when
 * two tabs send the same one, its secret makes the service count it once.
 */
export class BallotQueue {
  private readonly deliveries = new Map<string, Delivery>();
  private readonly listeners: Listener[] = [];

  constructor(
    private readonly store: Store,
    private readonly drafts: Drafts,
  ) {
    for (const key of store.keys(PREFIX)) {
      const entry = store.read<Entry>(key);
      if (entry && entry.ticket) this.take(entry);
    }
  }

  get entries(): Entry[] {
    return Array.from(this.deliveries.values()).map((delivery) => delivery.entry);
  }

  listen(listener: Listener): void {
    this.listeners.push(listener);
  }

  /** Send what earlier pages left behind, now and when the network is back. */
  start(): void {
    window.addEventListener("online", () => this.sendDue());
    this.entries.forEach((entry) => this.tell(entry, { kind: "undelivered", retryAfterSeconds: 0 }));
    this.sendDue();
  }

  /** Returns whether the ballot would survive the closing of the page. */
  add(ballot: Omit<Entry, "secret">): boolean {
    const entry = Object.assign({ secret: newSecret() }, ballot);
    const isKept = this.save(entry);
    this.take(entry);
    void this.send(entry.ticket);
    return isKept;
  }

  /** Send without waiting for the pause to end: a person asked for it. */
  sendNow(ticket: string): void {
    void this.send(ticket);
  }

  /** Send all but those for which the service asked to wait. */
  private sendDue(): void {
    this.deliveries.forEach((delivery, ticket) => {
      if (Date.now() >= delivery.notBefore) void this.send(ticket);
    });
  }

  private take(entry: Entry): void {
    if (!this.deliveries.has(entry.ticket)) {
      this.deliveries.set(entry.ticket, { entry, failures: 0, notBefore: 0, isUnderWay: false, timer: 0 });
    }
  }

  private async send(ticket: string): Promise<void> {
    const delivery = this.deliveries.get(ticket);
    if (!delivery || delivery.isUnderWay) return;
    window.clearTimeout(delivery.timer);
    delivery.isUnderWay = true;
    const outcome = await deliver(delivery.entry);
    delivery.isUnderWay = false;
    this.settle(delivery, outcome);
    if (outcome.kind !== "secret_in_use") this.tell(delivery.entry, outcome);
  }

  private settle(delivery: Delivery, outcome: Outcome): void {
    switch (outcome.kind) {
      case "secret_in_use":
        this.renewSecret(delivery);
        this.schedule(delivery, 0);
        break;
      case "undelivered":
        this.schedule(delivery, outcome.retryAfterSeconds);
        break;
      case "sign_in":
        break;
      default:
        this.forget(delivery.entry, outcome);
    }
  }

  private schedule(delivery: Delivery, retryAfterSeconds: number): void {
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** delivery.failures, LONGEST_PAUSE_MS);
    const wait = Math.max(pause, retryAfterSeconds * 1_000) * (1 + JITTER * Math.random());
    delivery.failures += 1;
    delivery.notBefore = Date.now() + retryAfterSeconds * 1_000;
    delivery.timer = window.setTimeout(() => void this.send(delivery.entry.ticket), wait);
  }

  /** Another tab may have made a new secret already, which then is the one to use. */
  private renewSecret(delivery: Delivery): void {
    const stored = this.store.read<Entry>(PREFIX + delivery.entry.ticket);
    const isRenewed = stored && stored.secret !== delivery.entry.secret;
    delivery.entry = isRenewed ? stored : Object.assign({}, delivery.entry, { secret: newSecret() });
    this.save(delivery.entry);
  }

  /** The draft goes too, unless the person can mend it or fill it in again. */
  private forget(entry: Entry, outcome: Outcome): void {
    this.deliveries.delete(entry.ticket);
    this.store.erase(PREFIX + entry.ticket);
    const canBeMended = outcome.kind === "invalid";
    const canBeFilledInAgain = outcome.kind === "rejected" && outcome.code === "bad_ticket";
    if (!canBeMended && !canBeFilledInAgain) this.drafts.erase(entry.ticket);
  }

  private save(entry: Entry): boolean {
    return this.store.write(PREFIX + entry.ticket, entry);
  }

  private tell(entry: Entry, outcome: Outcome): void {
    this.listeners.forEach((listener) => listener(entry, outcome));
  }
}
