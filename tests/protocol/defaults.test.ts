import { describe, expect, it } from "vitest";
import { DEFAULTS } from "../../protocol/defaults.ts";

describe("the defaults fit together", () => {
  it("a node that only waits to connect again is heard before a restarted coordinator calls it offline", () => {
    const graceMs = DEFAULTS.offlineAfterMissed * DEFAULTS.heartbeatMs;
    expect(DEFAULTS.reconnectMaxMs + DEFAULTS.reconnectMinMs).toBeLessThan(graceMs);
  });

  it("a reservation outlives what handing leadership over may take, and a probation what getting well may take", () => {
    expect(DEFAULTS.reservationMs).toBeGreaterThanOrEqual(DEFAULTS.hookTimeoutMs);
    expect(DEFAULTS.probationMs).toBeGreaterThan(
      DEFAULTS.healthWithinMs + DEFAULTS.confirmAfterHeartbeats * DEFAULTS.heartbeatMs,
    );
  });
});
