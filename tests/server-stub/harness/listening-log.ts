import { Writable } from "node:stream";
import pino from "pino";

/** A log whose lines are kept, and can be waited for. */
export function listeningLog() {
  const logged: Record<string, unknown>[] = [];
  const waiting = new Set<(line: Record<string, unknown>) => void>();
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      for (const text of chunk.toString().split("\n").filter(Boolean)) {
        const line = JSON.parse(text) as Record<string, unknown>;
        logged.push(line);
        for (const each of waiting) each(line);
      }
      done();
    },
  });
  const heard = (fits: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> => {
    const already = logged.find(fits);
    if (already !== undefined) return Promise.resolve(already);
    return new Promise((resolve) => {
      const listen = (line: Record<string, unknown>): void => {
        if (!fits(line)) return;
        waiting.delete(listen);
        resolve(line);
      };
      waiting.add(listen);
    });
  };
  return { log: pino({ level: "debug" }, stream), logged, heard };
}
