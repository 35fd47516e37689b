import { expect } from "vitest";
import { OPERATOR } from "../../simulation/coordinator.ts";
import { about, fleet, independent, minutes, quorum } from "../scenario.ts";

export const channels = about("channels and drift", [
  [
    "a promotion starts a rollout by itself",
    fleet(quorum("db"), independent(2)),
    async (it) => {
      it.publish("2.0.0");
      const policy = { stages: [1], pauseMs: 0 };
      await it.ask((baton) => baton.channels.put(OPERATOR, "stable", { startOnPublish: true, policy }));
      await it.ask((baton) => baton.groups.edit(OPERATOR, "db", { channel: "stable" }));
      await it.pass(minutes(2));
      expect(await it.baton.rollouts.list()).toEqual([]);
      await it.ask((baton) => baton.channels.promote(OPERATOR, "stable", { release: "2.0.0" }));
      await it.until(
        "a rollout is over",
        async () => (await it.baton.rollouts.list())[0]?.status === "completed",
      );
      const db = { "db-1": "2.0.0", "db-2": "2.0.0", "db-3": "2.0.0" };
      expect(it.running()).toEqual({ ...db, "web-1": "1.0.0", "web-2": "1.0.0" });
    },
  ],
  [
    "who joins late is brought to the channel's release",
    fleet(independent(1)),
    async (it) => {
      it.publish("2.0.0");
      it.publish("3.0.0");
      await it.ask((baton) => baton.channels.put(OPERATOR, "stable", {}));
      await it.ask((baton) => baton.groups.edit(OPERATOR, "web", { channel: "stable" }));
      await it.ask((baton) => baton.channels.promote(OPERATOR, "stable", { release: "2.0.0" }));
      await it.joins("web-2", "web", { voter: false });
      await it.until("it runs what the channel says", () => it.running()["web-2"] === "2.0.0");
      await it.pass(minutes(3));
      expect(it.running()).toEqual({ "web-1": "1.0.0", "web-2": "2.0.0" });
    },
  ],
  [
    "a machine that was set up anew is brought back to its release",
    fleet(quorum()),
    async (it) => {
      it.publish("2.0.0");
      await it.done((await it.rollOut("2.0.0")).id);
      it.machine("db-2").vanish();
      await it.until("it is missed", async () => (await it.openAlerts()).includes("node_offline"));
      const anew = it.setUpAnew("db-2", "1.0.0");
      await it.until("it runs the seed", () => anew.running?.build.version === "1.0.0");
      await it.until("it is brought back", () => anew.running?.build.version === "2.0.0");
      await it.until("nobody misses it", async () => (await it.openAlerts()).length === 0);
      expect((await it.jobOf("db-2")).cause).toBe("catch-up");
    },
  ],
]);
