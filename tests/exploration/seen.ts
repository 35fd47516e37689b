/**
 * The set of states that were met, by 64 bits of hash of their text: open addressing in two typed arrays, so that ten
 * million states take some 200 MB. Two texts of the same hash would be taken for one; with ten million states the
 * chance of a single such pair is about three in a million (n² / 2⁶⁵).
 */
export class Seen {
  #high: Uint32Array;
  #low: Uint32Array;
  #ids: Int32Array;
  #mask: number;
  #size = 0;

  constructor(capacity = 1 << 16) {
    this.#high = new Uint32Array(capacity);
    this.#low = new Uint32Array(capacity);
    this.#ids = new Int32Array(capacity).fill(-1);
    this.#mask = capacity - 1;
  }

  get size(): number {
    return this.#size;
  }

  /** The number of a text; negative (-1 - number) when it was not met before, and from now on it was. */
  number(text: string): number {
    const [high, low] = hash64(text);
    const at = this.#place(high, low);
    const known = this.#ids[at] ?? -1;
    if (known !== -1) return known;
    const id = this.#size;
    this.#high[at] = high;
    this.#low[at] = low;
    this.#ids[at] = id;
    this.#size += 1;
    if (this.#size * 2 > this.#mask) this.#grow();
    return -1 - id;
  }

  #place(high: number, low: number): number {
    let at = low & this.#mask;
    while (this.#ids[at] !== -1 && (this.#high[at] !== high || this.#low[at] !== low))
      at = (at + 1) & this.#mask;
    return at;
  }

  #grow(): void {
    const [high, low, ids] = [this.#high, this.#low, this.#ids];
    const capacity = ids.length * 2;
    this.#high = new Uint32Array(capacity);
    this.#low = new Uint32Array(capacity);
    this.#ids = new Int32Array(capacity).fill(-1);
    this.#mask = capacity - 1;
    for (let from = 0; from < ids.length; from += 1) {
      const id = ids[from] ?? -1;
      if (id === -1) continue;
      const at = this.#place(high[from] ?? 0, low[from] ?? 0);
      this.#high[at] = high[from] ?? 0;
      this.#low[at] = low[from] ?? 0;
      this.#ids[at] = id;
    }
  }
}

/** Two rounds of multiply and mix over the characters, with different constants; after MurmurHash3's finaliser. */
function hash64(text: string): readonly [number, number] {
  let a = 0x9e3779b9;
  let b = 0x85ebca6b;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    a = Math.imul(a ^ code, 0xcc9e2d51);
    a = (a << 13) | (a >>> 19);
    b = Math.imul(b ^ code, 0x1b873593);
    b = (b << 17) | (b >>> 15);
  }
  return [mix(a ^ text.length), mix(b + a)];
}

function mix(value: number): number {
  let x = value;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
