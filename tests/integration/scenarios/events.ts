import { expect } from "vitest";
import type { Job } from "../../../protocol/job.ts";
import type { Node } from "../../../protocol/node.ts";
import type { RolloutNode, RolloutSummary } from "../../../protocol/rollout.ts";
import { about, fleet, quorum, seconds } from "../scenario.ts";

export const events = about("events", [
  [
    "through the chain",
    fleet(quorum()),
    async (it) => {
      it.publish("2.0.0");
      const followed = await it.follow();
      const { id } = await it.rollOut("2.0.0");
      await it.done(id);
      await it.pass(seconds(2));
      expect(followed.of("rollout", id, ({ status }: RolloutSummary) => status)).toEqual([
        "pending",
        "running",
        "completed",
      ]);
      for (const name of ["db-1", "db-2", "db-3"]) {
        const fates = followed.of(
          "rollout-node",
          `${id}/${it.idOf(name)}`,
          ({ status }: RolloutNode) => status,
        );
        expect(fates.slice(-2)).toEqual(["updating", "succeeded"]);
        const versions = followed.of("node", it.idOf(name), ({ build }: Node) => build?.version);
        expect(versions).toEqual(["1.0.0", "2.0.0"]);
      }
      const ids = followed.events.map((event) => event.id);
      expect(ids).toEqual(ids.toSorted((a, b) => a - b));
      // One after the other: who holds the lease, in order, each held once and returned.
      const holders = followed.of(
        "lease",
        "db",
        ({ holder }: { holder: { nodeId: string } | null }) => holder?.nodeId,
      );
      expect(holders.filter((holder) => holder !== undefined)).toHaveLength(3);
      expect(new Set(holders).size).toBe(4);
    },
  ],
  [
    "completion reaches who asked",
    fleet(quorum()),
    async (it) => {
      it.publish("2.0.0");
      const { id } = await it.start("update", "db-3");
      const asked = await it.follow();
      await it.untilEnters("db-3", "swapping");
      asked.close();
      // Whoever asked was away while it came to its end.
      await it.ended(id);
      await it.pass(seconds(5));
      expect(asked.of("job", id, ({ status }: Job) => status)).not.toContain("succeeded");
      const back = await it.follow(asked.position);
      await it.pass(seconds(2));
      expect(back.resets).toEqual([]);
      expect(back.of("job", id, ({ status }: Job) => status).at(-1)).toBe("succeeded");
    },
  ],
  [
    "state changes reach subscribers",
    fleet(quorum()),
    async (it) => {
      const [one, two] = [await it.follow(), await it.follow()];
      it.cutOff("db-1");
      await it.until("it is offline", async () => (await it.node("db-1")).presence === "offline");
      await it.pass(seconds(5));
      it.reconnect("db-1");
      await it.until("it is back", async () => (await it.node("db-1")).presence === "online");
      await it.pass(seconds(5));
      for (const followed of [one, two]) {
        const presence = followed.of("node", it.idOf("db-1"), ({ presence }: Node) => presence);
        expect(presence).toEqual(expect.arrayContaining(["offline", "online"]));
        expect(presence.at(-1)).toBe("online");
      }
      expect(two.events.map(({ id }) => id)).toEqual(one.events.map(({ id }) => id));
    },
  ],
]);
