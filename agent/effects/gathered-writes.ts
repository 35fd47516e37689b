import type { OpenFile } from "./disk.ts";

/** Every write costs a turn between threads, and a socket hands out far smaller pieces. */
const PIECE_BYTES = 512 * 1024;

/**
 * Writes small chunks to a file in large pieces, one filling while the one before is on its way to the disk. The
 * first write that fails is in `fault`; nothing is written after it.
 */
export class GatheredWrites {
  readonly #file: OpenFile;
  #filling = Buffer.allocUnsafeSlow(PIECE_BYTES);
  #spare = Buffer.allocUnsafeSlow(PIECE_BYTES);
  #filled = 0;
  /** Never rejects. */
  #writing: Promise<void> = Promise.resolve();
  #fault: { readonly cause: unknown } | null = null;

  constructor(file: OpenFile) {
    this.#file = file;
  }

  get fault(): { readonly cause: unknown } | null {
    return this.#fault;
  }

  /** Takes a copy; waits while both pieces are full. */
  async add(chunk: Uint8Array): Promise<void> {
    for (let from = 0; from < chunk.length; ) {
      const taken = chunk.subarray(from, from + PIECE_BYTES - this.#filled);
      this.#filling.set(taken, this.#filled);
      this.#filled += taken.length;
      from += taken.length;
      if (this.#filled === PIECE_BYTES) await this.#writeOut();
    }
  }

  /** Writes what is left, and waits for all of it. */
  async end(): Promise<void> {
    if (this.#filled > 0) await this.#writeOut();
    await this.#writing;
  }

  async #writeOut(): Promise<void> {
    await this.#writing;
    const piece = this.#filling.subarray(0, this.#filled);
    [this.#filling, this.#spare] = [this.#spare, this.#filling];
    this.#filled = 0;
    if (this.#fault !== null) return;
    this.#writing = this.#file.write(piece).catch((cause: unknown) => {
      this.#fault = { cause };
    });
  }
}
