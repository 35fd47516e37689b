import { AsyncLocalStorage } from "node:async_hooks";
import type { Log } from "./parts.ts";

/**
 * Which request is at work: the doors say it, and logs and the audit log are told of it, without anybody in between
 * handing it on. Nothing is decided by it.
 */
export type RequestScope = {
  /** Everything that `work` does, also later, is done for this request. */
  run<T>(requestId: string, work: () => T): T;
  /** Null where the coordinator does something by itself. */
  readonly current: () => string | null;
  /** The same logger, whose lines carry the request's id. */
  log(log: Log): Log;
};

export function createRequestScope(): RequestScope {
  const storage = new AsyncLocalStorage<string>();
  const current = (): string | null => storage.getStore() ?? null;
  return {
    run: (requestId, work) => storage.run(requestId, work),
    current,
    log: (log) => {
      const say =
        (level: keyof Log): Log[keyof Log] =>
        (fields, message) => {
          const requestId = current();
          log[level](requestId === null ? fields : { requestId, ...fields }, message);
        };
      return { debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error") };
    },
  };
}
