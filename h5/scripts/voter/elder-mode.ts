import type { Store } from "./store";

const KEY = "elder-mode";

/** Larger text and stronger contrast, remembered for the next page. */
export class ElderMode {
  constructor(
    private readonly button: HTMLElement,
    private readonly store: Store,
  ) {
    button.hidden = false;
    button.addEventListener("click", () => this.set(!this.isOn));
    this.set(store.read<boolean>(KEY) === true);
  }

  private get isOn(): boolean {
    return document.documentElement.classList.contains("is-elder");
  }

  private set(isOn: boolean): void {
    document.documentElement.classList.toggle("is-elder", isOn);
    if (isOn) document.body.setAttribute("data-weui-mode", "care");
    else document.body.removeAttribute("data-weui-mode");
    this.button.textContent = (isOn ? this.button.dataset.off : this.button.dataset.on) || "";
    if (isOn) this.store.write(KEY, true);
    else this.store.erase(KEY);
  }
}
