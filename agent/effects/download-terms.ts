/** What a download is asked for, and the codes with which it may fail. */
import type { Dispatcher } from "undici";
import type { DurationMs, UptimeMs } from "../../protocol/time.ts";
import type { Disk } from "./disk.ts";

export type DownloadCode =
  | "length-mismatch"
  | "hash-mismatch"
  | "timed-out"
  | "unreachable"
  | "http-status"
  | "disk-full"
  | "cancelled";

export type DownloadProgress = {
  readonly bytes: number;
  readonly ofBytes: number;
  readonly bytesPerSecond: number;
};

export type DownloadRequest = {
  readonly disk: Disk;
  /** `/var/lib/baton-agent/download`; made if it is missing. */
  readonly dir: string;
  readonly url: string;
  /** What was signed. */
  readonly sha256: string;
  readonly bytes: number;
  readonly dispatcher: Dispatcher;
  /** Longest for the whole of it, waiting between tries included. */
  readonly timeoutMs: DurationMs;
  /** Longest without a single byte before a connection is given up. */
  readonly stallMs?: DurationMs;
  /** Tries in a row that bring nothing before it is given up, since others may have it; as many as the time allows otherwise. */
  readonly triesInVain?: number;
  readonly uptime: () => UptimeMs;
  /** Waits before another try; rejects when the signal aborts. */
  readonly wait: (ms: DurationMs, signal: AbortSignal) => Promise<void>;
  /** Cancels; what was fetched stays for the next time. */
  readonly signal?: AbortSignal;
  readonly progress?: (progress: DownloadProgress) => void;
};
