import { describe, expect, it } from "vitest";
import { silentLog } from "../../agent/effects/log.ts";
import { startPolling } from "../../agent/schedule.ts";
import { err, ok } from "../../protocol/result.ts";

const EVERY_SECOND = "* * * * * *";

describe("polling by schedule", () => {
  it("asks when it is time, and says when it did and how it went", async () => {
    let asked = 0;
    const polling = startPolling({
      enabled: true,
      schedule: EVERY_SECOND,
      jitterMs: 0,
      poll: async () => {
        asked += 1;
        return asked === 1 ? err({ code: "unreachable", message: "nobody there" }) : ok(undefined);
      },
      now: () => 42,
      log: silentLog,
    });
    expect(polling.status()).toMatchObject({ enabled: true, schedule: EVERY_SECOND, lastAt: null });
    expect(polling.status().nextAt).toBeGreaterThan(Date.now() - 1_000);
    await expect.poll(() => polling.status().fault?.code, { timeout: 3_000 }).toBe("unreachable");
    expect(polling.status().lastAt).toBe(42);
    await expect.poll(() => polling.status().fault, { timeout: 3_000 }).toBeNull();
    await polling.stop();
    expect(polling.status().nextAt).toBeNull();
  });

  it("does nothing when it is off", () => {
    const polling = startPolling({
      enabled: false,
      schedule: EVERY_SECOND,
      jitterMs: 0,
      poll: () => {
        throw new Error("must not be asked");
      },
      now: Date.now,
      log: silentLog,
    });
    expect(polling.status()).toMatchObject({ enabled: false, nextAt: null, lastAt: null });
  });
});
