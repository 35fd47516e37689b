import { expect } from "vitest";
import { OPERATOR } from "../../simulation/coordinator.ts";
import { about, fleet, minutes, quorum, seconds } from "../scenario.ts";

export const failures = about("failures", [
  [
    "offline found by missed heartbeats",
    fleet(quorum()),
    async (it) => {
      const presence = async () => (await it.node("db-2")).presence;
      it.cutOff("db-2");
      const cutAt = it.world.time.now;
      await it.stays(
        "two missed heartbeats are not three",
        async () => (await presence()) === "online",
        seconds(9),
      );
      await it.until("it is offline", async () => (await presence()) === "offline", seconds(30));
      expect(it.world.time.now - cutAt).toBeLessThanOrEqual(seconds(17));
      await it.until(
        "somebody is told",
        async () => (await it.openAlerts()).includes("node_offline"),
        seconds(6),
      );
      expect((await it.node("db-1")).presence).toBe("online");
      it.reconnect("db-2");
      await it.until("it is back", async () => (await presence()) === "online");
      await it.until(
        "nobody is bothered any more",
        async () => (await it.openAlerts()).length === 0,
        seconds(6),
      );
    },
  ],
  [
    "a dead node's turn handled",
    fleet(quorum()),
    async (it) => {
      it.publish("2.0.0");
      const { id } = await it.rollOut("2.0.0");
      const holder = await it.untilEnters(null, "draining");
      await it.untilEnters(holder, "swapping");
      it.machine(holder).vanish();
      await it.done(id, "halted");
      expect((await it.fates(id))[holder]).toBe("failed");
      const lease = await it.ask((baton) => baton.leases.view("db"));
      expect(lease.holder?.nodeId).toBe(it.idOf(holder));
      const others = Object.entries(it.running()).filter(([name]) => name !== holder);
      expect(others.map(([, version]) => version)).toEqual(["1.0.0", "1.0.0"]);
      for (const alert of ["fleet_update_halted", "lease_overdue", "node_offline"])
        await it.until(`${alert} is raised`, async () => (await it.openAlerts()).includes(alert));
      await it.stays(
        "nobody follows while it may be down",
        () => Object.values(it.running()).every((version) => version !== "2.0.0"),
        minutes(10),
      );
    },
  ],
  [
    "a coordinator lost",
    fleet(quorum()),
    async (it) => {
      it.publish("2.0.0");
      const { id } = await it.rollOut("2.0.0");
      const first = await it.untilEnters(null, "swapping");
      await it.restartCoordinator(seconds(40));
      expect(it.running()[first]).toBe("2.0.0");
      const untouched = Object.values(it.running()).filter((version) => version === "1.0.0");
      expect(untouched).toHaveLength(2);
      await it.done(id);
      expect(it.running()).toEqual({ "db-1": "2.0.0", "db-2": "2.0.0", "db-3": "2.0.0" });
      expect(await it.openAlerts()).toEqual([]);
    },
  ],
  [
    "pending approvals survive",
    { groups: [quorum()], storage: "sqlite" },
    async (it) => {
      await it.joins("db-4", "db", { approved: false });
      await it.until("it is heard", async () => (await it.node("db-4")).presence === "online");
      await it.restartCoordinator();
      await it.until("it is heard again", async () => (await it.node("db-4")).presence === "online");
      expect((await it.node("db-4")).membership).toBe("pending");
      await it.ask((baton) => baton.nodes.approve(OPERATOR, it.idOf("db-4")));
      await it.restartCoordinator();
      expect((await it.node("db-4")).membership).toBe("approved");
    },
  ],
]);
