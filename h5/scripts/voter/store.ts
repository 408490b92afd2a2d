/** Keeps small JSON values on the phone, or only in this page where the browser forbids that. */
export class Store {
  readonly isLasting: boolean;
  private readonly storage: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  private readonly memory = new Map<string, string>();

  constructor() {
    this.isLasting = canKeep();
    this.storage = this.isLasting ? window.localStorage : this.inMemory();
  }

  read<T>(key: string): T | null {
    try {
      return JSON.parse(this.storage.getItem(key) || "null") as T | null;
    } catch {
      return null;
    }
  }

  /** A full store must not keep anybody from voting, so a failed write is only told. */
  write(key: string, value: unknown): boolean {
    try {
      this.storage.setItem(key, JSON.stringify(value));
      return this.isLasting;
    } catch {
      return false;
    }
  }

  erase(key: string): void {
    this.storage.removeItem(key);
  }

  keys(prefix: string): string[] {
    const all = this.isLasting ? Object.keys(window.localStorage) : Array.from(this.memory.keys());
    return all.filter((key) => key.startsWith(prefix));
  }

  private inMemory(): Pick<Storage, "getItem" | "setItem" | "removeItem"> {
    return {
      getItem: (key) => this.memory.get(key) || null,
      setItem: (key, value) => void this.memory.set(key, value),
      removeItem: (key) => void this.memory.delete(key),
    };
  }
}

/** Private windows of old Safari have a localStorage that refuses every write. */
function canKeep(): boolean {
  try {
    window.localStorage.setItem("probe", "1");
    window.localStorage.removeItem("probe");
    return true;
  } catch {
    return false;
  }
}
