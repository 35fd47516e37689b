import { expect, it } from "vitest";
import { realClock } from "../../../agent/effects/clock.ts";
import { silentLog } from "../../../agent/effects/log.ts";
import { realScheduler } from "../../../agent/effects/scheduler.ts";
import { createSession } from "../../../agent/session/session.ts";
import { err, ok } from "../../../protocol/result.ts";

it("nothing is said to a connection that ended while it was opened, and another is opened", async () => {
  const said: string[] = [];
  let opened = 0;
  const again = Promise.withResolvers<void>();
  const session = createSession({
    mode: "websocket",
    websocket: async (events) => {
      const name = String(++opened);
      if (opened === 1) events.ended({ code: "malformed", message: "It spoke out of turn." });
      else again.resolve();
      const send = () => void said.push(name);
      return ok({ kind: "websocket", server: name, send, probe: () => undefined, close: () => undefined });
    },
    http: async () => err({ code: "unreachable", message: "Nobody is there." }),
    source: {
      hello: () => ({
        instanceId: "00000000-0000-4000-8000-000000000001",
        build: { version: "1.0.0", buildHash: "a".repeat(64) },
        platform: "linux-x64",
        runtime: "26.0.0",
        canHandOver: false,
        journal: { kind: "idle" },
        finalWords: [],
        holdings: { backup: null, hold: false, quarantine: [] },
      }),
      heartbeat: () => expect.fail("a heartbeat before the welcome"),
      diagnosis: () => null,
      logLines: async () => [],
    },
    events: {
      welcomed: () => undefined,
      opened: () => undefined,
      closed: () => undefined,
      orders: () => undefined,
    },
    reconnect: { minMs: 5, maxMs: 40 },
    clock: realClock,
    scheduler: realScheduler,
    random: Math.random,
    log: silentLog,
  });
  session.start();
  await again.promise;
  await session.stop();
  expect(said).not.toContain("1");
});
