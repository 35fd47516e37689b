import { Header } from "tar/header";
import { Pax } from "tar/pax";
import { bundleFault, type Refusal } from "./bundle-faults.ts";
import type { ArchiveEntry } from "./bundle-rules.ts";

/** What a `TarReader` tells, in the order of the archive. `entry` may refuse; then nothing more is told. */
export type TarListener = {
  entry(entry: ArchiveEntry): Refusal | undefined;
  /** Some of the bytes of the file told last. The chunk is a view; keep it only if the block is yours. */
  data(chunk: Buffer): void;
  /** All bytes of the file told last were told. */
  end(): void;
};

const BLOCK = 512;
/** A longer extended header could hold a name cut in two ways. Ours hold a path and a target. */
const MAX_EXTENDED_BYTES = 1024;
/** tar rounds its archives up to 10 or 20 blocks of 512 bytes. */
const MAX_PADDING_BYTES = 1024 * 1024;

/**
 * Takes a tar archive apart as its bytes come, synchronously and without writing anything: ustar, and `pax`
 * extended headers that hold a path and a target and nothing else. Every other extension is refused, so that no
 * other reader of tar could see another tree in the same bytes. The headers are decoded by the `tar` package.
 *
 * Source: POSIX.1-2017, pax, "ustar Interchange Format".
 */
export class TarReader {
  readonly #listener: TarListener;
  #state: "header" | "extended" | "body" | "ended" = "header";
  #carry: Buffer | undefined;
  #extended: Buffer[] = [];
  #pax: Pax | undefined;
  #remaining = 0;
  #padding = 0;
  #nullBlocks = 0;
  #trailing = 0;
  #path = "";

  constructor(listener: TarListener) {
    this.#listener = listener;
  }

  /** Takes the next bytes. After a refusal the reader is spent. */
  push(bytes: Buffer): Refusal | undefined {
    const all = this.#carry === undefined ? bytes : Buffer.concat([this.#carry, bytes]);
    this.#carry = undefined;
    let at = 0;
    while (at < all.length) {
      if (this.#state === "ended") return this.#afterEnd(all.subarray(at));
      if (this.#state === "header") {
        if (all.length - at < BLOCK) {
          this.#carry = all.subarray(at);
          return undefined;
        }
        const refusal = this.#header(all, at);
        if (refusal !== undefined) return refusal;
        at += BLOCK;
      } else {
        const chunk = all.subarray(at, at + this.#remaining + this.#padding);
        const refusal = this.#body(chunk);
        if (refusal !== undefined) return refusal;
        at += chunk.length;
      }
    }
    return undefined;
  }

  /** The bytes are over: whether the archive was, too. */
  finish(): Refusal | undefined {
    if (this.#state === "ended" && this.#carry === undefined) return undefined;
    return this.#state === "body"
      ? bundleFault("bundle-corrupt", "is cut off in the middle", this.#path)
      : bundleFault("bundle-corrupt", "ends before its archive does");
  }

  #header(block: Buffer, at: number): Refusal | undefined {
    const header = decode(block, at, this.#pax);
    if (header === undefined) return bundleFault("bundle-corrupt", "has a header that cannot be read");
    if (header.nullBlock) {
      this.#nullBlocks += 1;
      if (this.#nullBlocks === 2) this.#state = "ended";
      return this.#pax === undefined
        ? undefined
        : bundleFault("bundle-corrupt", "has an extended header for nothing");
    }
    if (this.#nullBlocks > 0) return bundleFault("bundle-trailing", "goes on after its end");
    if (!header.cksumValid) return bundleFault("bundle-corrupt", "has a header with a wrong checksum");
    return header.type === "ExtendedHeader" ? this.#openExtended(header) : this.#openEntry(header);
  }

  #openExtended(header: Header): Refusal | undefined {
    const bytes = header.size ?? 0;
    if (this.#pax !== undefined || bytes === 0 || bytes > MAX_EXTENDED_BYTES) {
      return bundleFault("bundle-corrupt", "has an extended header that is empty, doubled or too long");
    }
    this.#extended = [];
    this.#expect("extended", bytes);
    return undefined;
  }

  #openEntry(header: Header): Refusal | undefined {
    const pax = this.#pax;
    this.#pax = undefined;
    this.#path = pax?.path ?? header.path ?? "";
    const target = pax?.linkpath ?? header.linkpath ?? "";
    const kind = KINDS.get(header.type) ?? "other";
    const bytes = kind === "file" ? (header.size ?? -1) : 0;
    const entry = { kind, path: this.#path, mode: header.mode ?? 0, bytes, target };
    if (!Number.isSafeInteger(bytes) || bytes < 0)
      return bundleFault("bundle-corrupt", "has no length", this.#path);
    const refusal = this.#listener.entry(entry);
    if (refusal !== undefined) return refusal;
    if (kind !== "file" && (header.size ?? 0) !== 0)
      return bundleFault("bundle-corrupt", "has content", this.#path);
    if (kind === "file") this.#expect("body", bytes);
    if (kind === "file" && bytes === 0) this.#close();
    return undefined;
  }

  #expect(state: "extended" | "body", bytes: number): void {
    this.#state = state;
    this.#remaining = bytes;
    this.#padding = (BLOCK - (bytes % BLOCK)) % BLOCK;
  }

  #body(chunk: Buffer): Refusal | undefined {
    const content = chunk.subarray(0, this.#remaining);
    const padding = chunk.subarray(content.length);
    this.#remaining -= content.length;
    this.#padding -= padding.length;
    if (!isZero(padding)) return bundleFault("bundle-corrupt", "is followed by something hidden", this.#path);
    if (content.length > 0) {
      if (this.#state === "body") this.#listener.data(content);
      else this.#extended.push(content);
    }
    return this.#remaining === 0 && this.#padding === 0 ? this.#close() : undefined;
  }

  #close(): Refusal | undefined {
    const state = this.#state;
    this.#state = "header";
    if (state === "body") this.#listener.end();
    else {
      this.#pax = decodePax(Buffer.concat(this.#extended));
      if (this.#pax === undefined) {
        return bundleFault("bundle-corrupt", "has an extended header with more than a path and a target");
      }
    }
    return undefined;
  }

  #afterEnd(bytes: Buffer): Refusal | undefined {
    this.#trailing += bytes.length;
    if (isZero(bytes) && this.#trailing <= MAX_PADDING_BYTES) return undefined;
    return bundleFault("bundle-trailing", "goes on after its end");
  }
}

const KINDS: ReadonlyMap<string, ArchiveEntry["kind"]> = new Map([
  ["File", "file"],
  ["Directory", "directory"],
  ["SymbolicLink", "link"],
  ["Link", "hard-link"],
  ["CharacterDevice", "device"],
  ["BlockDevice", "device"],
  ["FIFO", "fifo"],
]);

function decode(block: Buffer, at: number, pax: Pax | undefined): Header | undefined {
  try {
    return new Header(block, at, pax);
  } catch {
    return undefined;
  }
}

/** Only what the `tar` package would write again in the same bytes; so nothing is overlooked or read in two ways. */
function decodePax(bytes: Buffer): Pax | undefined {
  const text = bytes.toString("utf8");
  const { path, linkpath } = Pax.parse(text, undefined);
  const pax = new Pax({
    ...(path === undefined ? {} : { path }),
    ...(linkpath === undefined ? {} : { linkpath }),
  });
  return pax.encodeBody() === text && Buffer.byteLength(text) === bytes.length ? pax : undefined;
}

const ZEROS = Buffer.alloc(64 * 1024);

function isZero(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const part = bytes.subarray(at, at + ZEROS.length);
    if (!part.equals(ZEROS.subarray(0, part.length))) return false;
  }
  return true;
}
