/** A WebSocket data frame as it passed. Source: RFC 6455, section 5.2. */
export type SeenFrame = {
  readonly direction: "toServer" | "toClient";
  /** The text of a text frame; empty for all others. */
  readonly text: string;
  readonly opcode: number;
};

/** Bytes to hand on; with the frame they hold, or none while the HTTP heads of the upgrade go by. */
export type FramePart = { readonly bytes: Buffer; readonly frame?: SeenFrame };

const TEXT = 1;

/**
 * Cuts one direction of an upgraded connection into frames, so that single ones can be dropped. The direction
 * to the client begins with the head of the server's answer; that to the server begins with frames, since the
 * proxy wrote the request's head itself. Does not understand compressed or fragmented messages.
 */
export class FrameReader {
  readonly direction: SeenFrame["direction"];
  /** HTTP status of the answer to the upgrade, once it was seen. */
  status: number | undefined;
  #rest = Buffer.alloc(0);
  #inHead: boolean;

  constructor(direction: SeenFrame["direction"]) {
    this.direction = direction;
    this.#inHead = direction === "toClient";
  }

  /** Takes what arrived, and gives what is complete. */
  read(chunk: Buffer): readonly FramePart[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const parts: FramePart[] = [];
    if (this.#inHead) {
      const end = this.#rest.indexOf("\r\n\r\n");
      if (end < 0) return parts;
      const head = this.#take(end + 4);
      this.status = Number(head.toString("latin1").split(" ")[1]);
      this.#inHead = false;
      parts.push({ bytes: head });
    }
    // An answer other than 101 is no WebSocket: it goes by as it is.
    if (this.status !== undefined && this.status !== 101)
      return [...parts, { bytes: this.#take(this.#rest.length) }];
    for (let length = frameLength(this.#rest); length !== undefined; length = frameLength(this.#rest)) {
      const bytes = this.#take(length.head + length.body);
      parts.push({ bytes, frame: this.#frame(bytes, length.head) });
    }
    return parts;
  }

  #frame(bytes: Buffer, head: number): SeenFrame {
    const opcode = (bytes[0] ?? 0) & 0x0f;
    const masked = ((bytes[1] ?? 0) & 0x80) !== 0;
    const body = Buffer.from(bytes.subarray(head));
    if (masked)
      for (let i = 0; i < body.length; i += 1) body[i] = (body[i] ?? 0) ^ (bytes[head - 4 + (i % 4)] ?? 0);
    return { direction: this.direction, opcode, text: opcode === TEXT ? body.toString("utf8") : "" };
  }

  #take(length: number): Buffer {
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return taken;
  }
}

/** How long the first frame is, its head and its body; nothing while it is not complete. */
function frameLength(bytes: Buffer): { readonly head: number; readonly body: number } | undefined {
  if (bytes.length < 2) return undefined;
  const second = bytes[1] ?? 0;
  const short = second & 0x7f;
  const sizeBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const head = 2 + sizeBytes + ((second & 0x80) === 0 ? 0 : 4);
  if (bytes.length < head) return undefined;
  const body =
    sizeBytes === 2 ? bytes.readUInt16BE(2) : sizeBytes === 8 ? Number(bytes.readBigUInt64BE(2)) : short;
  return bytes.length < head + body ? undefined : { head, body };
}
