import { expect } from "vitest";
import { OPERATOR } from "../../simulation/coordinator.ts";
import { about, fleet, minutes, quorum, seconds } from "../scenario.ts";

export const leases = about("leases", [
  [
    "a broken lease still counts as down until its node speaks",
    fleet(quorum()),
    async (it) => {
      it.publish("2.0.0");
      const { id } = await it.rollOut("2.0.0");
      const holder = await it.untilEnters(null, "swapping");
      it.machine(holder).cutPower("all-kept");
      const view = () => it.ask((baton) => baton.leases.view("db"));
      const token = (await view()).holder?.token ?? 0;
      const request = { token, reason: "Its machine has burnt." };
      const early = await it.refused((baton) => baton.leases.break(OPERATOR, "db", request));
      expect(early.code).toBe("wrong-state");
      await it.pass(minutes(5));
      await it.ask((baton) => baton.leases.break(OPERATOR, "db", request));
      expect((await view()).broken.map((broken) => broken.nodeId)).toEqual([it.idOf(holder)]);
      const [other] = [...it.world.nodes.keys()].filter((name) => name !== holder);
      await it.until("the rollout is over", async () => (await it.rollout(id)).status === "halted");
      const job = await it.start("update", other ?? "");
      await it.stays("two of three may not be down", () => it.running()[other ?? ""] === "1.0.0", minutes(5));
      it.machine(holder).boot();
      await it.until("it has said its last word", async () => (await view()).broken.length === 0);
      await it.ended(job.id);
    },
  ],
  [
    "a node that is removed in flight frees its group",
    fleet(quorum("db", 4)),
    async (it) => {
      it.publish("2.0.0");
      const { id } = await it.rollOut("2.0.0");
      const holder = await it.untilEnters(null, "swapping");
      it.machine(holder).vanish();
      await it.done(id, "halted");
      const nodeId = it.idOf(holder);
      expect((await it.ask((baton) => baton.nodes.removal(nodeId))).holdsLease).toBe(true);
      await it.ask((baton) => baton.nodes.remove(OPERATOR, nodeId));
      expect(await it.ask((baton) => baton.leases.view("db"))).toMatchObject({ holder: null, voters: 3 });
      const again = await it.rollOut("2.0.0");
      expect((await it.done(again.id)).nodes).toHaveLength(3);
    },
  ],
  [
    "too few serve, and nobody goes",
    fleet(quorum()),
    async (it) => {
      it.publish("2.0.0");
      const { id } = await it.rollOut("2.0.0", { policy: { offline: "skip" } });
      it.cutOff("db-3");
      await it.until("it is offline", async () => (await it.node("db-3")).presence === "offline");
      await it.stays(
        "two voters of three are needed",
        () => Object.values(it.running()).filter((version) => version === "1.0.0").length >= 2,
        minutes(5),
      );
      it.reconnect("db-3");
      await it.until("the rollout is over", async () => (await it.rollout(id)).endedAt !== null);
      expect(it.world.clusters.get("db")?.serving.size).toBe(3);
    },
  ],
  [
    "a restore gives no token twice, and waits for an operator's word",
    { groups: [quorum()], storage: "sqlite" },
    async (it) => {
      it.publish("2.0.0");
      const { id } = await it.rollOut("2.0.0");
      const first = await it.untilEnters(null, "draining");
      const before = (await it.ask((baton) => baton.leases.view("db"))).holder?.token ?? 0;
      await it.backUp();
      await it.until("the first is updated", async () => (await it.fates(id))[first] === "succeeded");
      const reader = await it.follow();
      await it.restore();
      expect((await it.rollout(id)).status).toBe("paused");
      const late = await it.follow(reader.position);
      await it.pass(seconds(2));
      expect(late.resets).toEqual(["The coordinator was restored from a backup since."]);
      const updated = () => Object.values(it.running()).filter((version) => version === "2.0.0").length;
      const then = updated();
      await it.stays("nobody begins", () => updated() === then, minutes(5));
      await it.ask((baton) => baton.rollouts.resume(OPERATOR, id));
      await it.untilEnters(null, "draining");
      const after = (await it.ask((baton) => baton.leases.view("db"))).holder?.token ?? 0;
      expect(after).toBeGreaterThan(before + 1_000_000);
      await it.done(id);
      expect(updated()).toBe(3);
    },
  ],
]);
