import { valuesOf } from "./answers";

/** Reads the page: an uploaded recording where there is one, else the browser's own Chinese voice. */
export class ReadAloud {
  private isOn = false;

  constructor(private readonly button: HTMLElement) {
    const recording = document.querySelector("audio");
    const ended = (): void => this.show(false);
    if (recording) {
      this.offer(new RecordedReading(recording, ended));
      recording.addEventListener("error", () => (button.hidden = true));
    } else if ("speechSynthesis" in window) {
      whenVoiceIsFound((voice) => this.offer(new SpokenReading(voice, ended)));
    }
  }

  private offer(reading: Reading): void {
    this.button.hidden = false;
    this.button.addEventListener("click", () => {
      this.show(!this.isOn);
      if (this.isOn) reading.start();
      else reading.stop();
    });
    window.addEventListener("pagehide", () => reading.stop());
  }

  private show(isOn: boolean): void {
    this.isOn = isOn;
    this.button.classList.toggle("is-on", isOn);
    this.button.textContent = (isOn ? this.button.dataset.off : this.button.dataset.on) || "";
  }
}

interface Reading {
  start(): void;
  stop(): void;
}

class RecordedReading implements Reading {
  constructor(
    private readonly audio: HTMLAudioElement,
    ended: () => void,
  ) {
    audio.controls = false;
    audio.addEventListener("ended", ended);
  }

  start(): void {
    void this.audio.play();
  }

  stop(): void {
    this.audio.pause();
  }
}

class SpokenReading implements Reading {
  private parts: HTMLElement[] = [];
  private current: SpeechSynthesisUtterance | null = null;

  constructor(
    private readonly voice: SpeechSynthesisVoice,
    private readonly ended: () => void,
  ) {}

  /** From the beginning, or from the first question without an answer. */
  start(): void {
    const all = Array.from(document.querySelectorAll<HTMLElement>("[data-spoken]:not([hidden])"));
    const questions = all.filter((part) => part.dataset.item);
    const next = questions.filter((part) => !valuesOf(part).length)[0];
    const isBegun = questions.some((part) => valuesOf(part).length > 0);
    this.parts = isBegun && next ? all.slice(all.indexOf(next)) : all;
    this.speakNext();
  }

  stop(): void {
    this.current = null;
    this.highlight(null);
    window.speechSynthesis.cancel();
  }

  private speakNext(): void {
    const part = this.parts.shift() || null;
    this.highlight(part);
    if (!part) {
      this.ended();
      return;
    }
    const utterance = new SpeechSynthesisUtterance(part.innerText);
    utterance.voice = this.voice;
    utterance.lang = this.voice.lang;
    utterance.rate = 0.9;
    // A stopped utterance ends too, perhaps after the next reading has begun.
    utterance.onend = () => {
      if (this.current === utterance) this.speakNext();
    };
    this.current = utterance;
    window.speechSynthesis.speak(utterance);
  }

  private highlight(part: HTMLElement | null): void {
    const old = document.querySelector(".is-spoken");
    if (old) old.classList.remove("is-spoken");
    if (part) part.classList.add("is-spoken");
  }
}

/** Voices arrive late. One that is not on the phone itself would send the text to a foreign service. */
function whenVoiceIsFound(found: (voice: SpeechSynthesisVoice) => void): void {
  const synthesis = window.speechSynthesis;
  const look = (): void => {
    const voice = synthesis.getVoices().filter((one) => /^(zh|cmn)/i.test(one.lang) && one.localService)[0];
    if (!voice) return;
    synthesis.onvoiceschanged = null;
    found(voice);
  };
  synthesis.onvoiceschanged = look;
  look();
}
