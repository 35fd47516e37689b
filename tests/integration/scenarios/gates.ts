import { expect } from "vitest";
import { OPERATOR } from "../../simulation/coordinator.ts";
import { about, fleet, independent, minutes, quorum, seconds } from "../scenario.ts";

export const gates = about("windows and freezes", [
  [
    "nobody begins outside the window",
    fleet(quorum()),
    async (it) => {
      it.publish("2.0.0");
      // The world begins at midnight.
      const windows = [{ cron: "4 0 * * *", timezone: "UTC", durationMs: minutes(30) }];
      await it.ask((baton) => baton.groups.edit(OPERATOR, "db", { windows }));
      const { id } = await it.rollOut("2.0.0");
      const closed = async () => (await it.ask((baton) => baton.groups.get("db"))).gate?.code ?? null;
      expect(await closed()).toBe("outside-window");
      await it.until("all are ready", async () =>
        (await it.baton.nodes.list({})).every(({ update }) => update?.state === "prepared"),
      );
      await it.stays(
        "nobody goes",
        () => Object.values(it.running()).every((version) => version === "1.0.0"),
        minutes(3.5) - it.world.time.now,
      );
      await it.done(id);
      expect(it.world.time.now).toBeGreaterThan(minutes(4));
      expect(it.world.time.now).toBeLessThan(minutes(7));
    },
  ],
  [
    "a freeze stops every beginning, and what is in flight finishes",
    fleet(quorum()),
    async (it) => {
      it.publish("2.0.0");
      const { id } = await it.rollOut("2.0.0");
      const first = await it.untilEnters(null, "draining");
      await it.ask((baton) => baton.policy.freeze(OPERATOR, { reason: "It is a holiday." }));
      const updated = () => Object.entries(it.running()).filter(([, version]) => version === "2.0.0");
      await it.until("who is in flight finishes", async () => (await it.fates(id))[first] === "succeeded");
      await it.stays("and nobody else begins", () => updated().length === 1, minutes(10));
      const reasons = (await it.rollout(id)).nodes.map(({ reason }) => reason?.message ?? "");
      expect(reasons.filter((reason) => reason.includes("It is a holiday."))).not.toEqual([]);
      await it.ask((baton) => baton.policy.unfreeze(OPERATOR));
      await it.done(id);
      expect(updated()).toHaveLength(3);
    },
  ],
  [
    "a paused rollout gives no turns, and goes on when told",
    fleet(independent(3)),
    async (it) => {
      it.publish("2.0.0");
      const { id } = await it.rollOut("2.0.0", { policy: { concurrency: 1 } });
      const first = await it.untilEnters(null, "draining");
      await it.ask((baton) => baton.rollouts.pause(OPERATOR, id));
      await it.until("who is under way finishes", async () => (await it.fates(id))[first] === "succeeded");
      const untouched = () => Object.values(it.running()).filter((version) => version === "1.0.0").length;
      await it.stays("the others wait", () => untouched() === 2, minutes(5));
      await it.ask((baton) => baton.rollouts.resume(OPERATOR, id));
      await it.done(id);
      expect(untouched()).toBe(0);
      await it.pass(seconds(1));
    },
  ],
]);
