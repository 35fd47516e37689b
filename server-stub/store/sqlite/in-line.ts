/**
 * Who wants something that only one may have at a time, in the order in which they came. Letting it go wakes the next
 * one alone: thousands who are all woken, and all but one of them wait again, are the more work the more they are.
 */
export class InLine {
  #isTaken = false;
  #waiting: (() => void)[] = [];
  /** Of the list, who is next; those before have had it. */
  #next = 0;

  /** Resolves when it is the caller's. */
  async take(): Promise<void> {
    if (this.#isTaken) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#isTaken = true;
  }

  letGo(): void {
    const next = this.#waiting[this.#next];
    if (next === undefined) {
      this.#isTaken = false;
      return;
    }
    this.#next += 1;
    if (this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
    }
    next();
  }
}
