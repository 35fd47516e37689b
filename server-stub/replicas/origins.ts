/**
 * What one coordinator says to another beside the request that it hands on: that it is one, and for whom it asks. It
 * is believed only if it names the claim of the seat, which is in the database and nowhere else.
 */
import { timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";

/** The claim that the asking coordinator takes for the one of the seat. */
export const DOOR_HEADER = "x-baton-door";
/** The address of whoever asks it. */
export const FROM_HEADER = "x-baton-door-for";
/** It was asked by TLS. */
export const TLS_HEADER = "x-baton-door-tls";
/** It was asked over its control socket. */
export const LOCAL_HEADER = "x-baton-door-local";

export type Origins = {
  /**
   * Whether the request was handed on by another coordinator: `null` if not, otherwise whether it meant this one, by
   * the claim under which this one has the seat.
   */
  readonly admit: (request: IncomingMessage, claim: string | null) => boolean | null;
  /** Whether it was handed on by another coordinator, and meant this one. */
  readonly isAdmitted: (request: IncomingMessage) => boolean;
  /** The address that a request came from first. */
  readonly fromOf: (request: IncomingMessage) => string;
  /** Whether it came by TLS there, or never left a machine. */
  readonly isSafe: (request: IncomingMessage) => boolean;
  /** Whether it came in over the control socket of another coordinator. */
  readonly isLocal: (headers: IncomingHttpHeaders) => boolean;
};

type Origin = { readonly from: string; readonly isLocal: boolean; readonly isEncrypted: boolean };

export function createOrigins(): Origins {
  const known = new WeakMap<IncomingHttpHeaders, Origin>();
  return {
    admit: (request, claim) => {
      const { headers } = request;
      const said = headers[DOOR_HEADER];
      if (said === undefined) return null;
      if (typeof said !== "string" || claim === null || !isSame(said, claim)) return false;
      const from = headers[FROM_HEADER];
      known.set(headers, {
        from: typeof from === "string" ? from : socketOf(request),
        isLocal: headers[LOCAL_HEADER] !== undefined,
        isEncrypted: headers[TLS_HEADER] !== undefined,
      });
      return true;
    },
    isAdmitted: ({ headers }) => known.has(headers),
    fromOf: (request) => known.get(request.headers)?.from ?? socketOf(request),
    isSafe: (request) => {
      const origin = known.get(request.headers);
      return origin === undefined ? isEncrypted(request) : origin.isEncrypted || origin.isLocal;
    },
    isLocal: (headers) => known.get(headers)?.isLocal === true,
  };
}

/** Whether the connection itself is by TLS. */
export const isEncrypted = ({ socket }: IncomingMessage): boolean =>
  "encrypted" in socket && socket.encrypted === true;

const socketOf = ({ socket }: IncomingMessage): string => socket.remoteAddress ?? "unknown";

function isSame(said: string, claim: string): boolean {
  const [a, b] = [Buffer.from(said), Buffer.from(claim)];
  return a.length === b.length && timingSafeEqual(a, b);
}
