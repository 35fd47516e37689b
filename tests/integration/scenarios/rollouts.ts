import { expect } from "vitest";
import { OPERATOR } from "../../simulation/coordinator.ts";
import { about, fleet, independent, led, minutes, quorum } from "../scenario.ts";

const ALL = { all: true } as const;

export const rollouts = about("rollouts", [
  [
    "the leader goes last, and hands over before",
    fleet(led()),
    async (it) => {
      const cluster = it.world.clusters.get("db");
      let first: string | undefined;
      // The same shuffle twice; the second time whoever went first has become the leader.
      const orderOf = async (release: string): Promise<readonly string[]> => {
        it.publish(release);
        const { id } = await it.rollOut(release, { policy: { seed: 7 } });
        const order: string[] = [];
        while (order.length < 3) {
          const who = await it.untilEnters(null, "draining");
          expect(cluster?.leader).not.toBe(who);
          order.push(who);
        }
        await it.done(id);
        return order;
      };
      for (const release of ["2.0.0", "3.0.0", "4.0.0"]) {
        const leads = first ?? "db-1";
        cluster?.lead(leads);
        const isKnown = async () => (await it.node(leads)).health?.role === "leader";
        await it.until(`${leads} leads`, isKnown);
        const order = await orderOf(release);
        expect(order.at(-1)).toBe(leads);
        first = order[0];
      }
    },
  ],
  [
    "stages wait for who looks after them",
    fleet(independent(4)),
    async (it) => {
      it.publish("2.0.0");
      const { id } = await it.rollOut("2.0.0", { policy: { stages: [0.25, 1], pauseMs: null } });
      const updated = () => Object.values(it.running()).filter((version) => version === "2.0.0").length;
      await it.done(id, "paused");
      await it.stays("one is enough for now", () => updated() === 1, minutes(10));
      await it.ask((baton) => baton.rollouts.resume(OPERATOR, id));
      const { stages } = await it.done(id);
      expect(stages.map(({ nodes, status }) => [nodes, status])).toEqual([
        [1, "done"],
        [3, "done"],
      ]);
    },
  ],
  [
    "a second one for the same nodes is refused by name",
    fleet(quorum("db"), independent(2)),
    async (it) => {
      it.publish("2.0.0");
      const { id } = await it.rollOut("2.0.0", { selection: { groups: ["db"] } });
      const start = (groups: string[]) =>
        it.world.whileTimePasses(
          it.baton.rollouts.start(OPERATOR, {
            selection: { groups },
            release: "2.0.0",
            policy: { stages: [1] },
          }),
        );
      const refused = await start(["db"]);
      expect(refused).toMatchObject({ ok: false, error: { code: "rollout-active" } });
      expect(JSON.stringify(refused)).toContain(id);
      const beside = await start(["web"]);
      expect(beside.ok).toBe(true);
      await it.done(id);
    },
  ],
  [
    "a plan that is another by now is refused",
    fleet(quorum()),
    async (it) => {
      it.publish("2.0.0");
      const request = { selection: ALL, release: "2.0.0", policy: { stages: [1] } };
      const plan = await it.ask((baton) => baton.rollouts.plan(request));
      await it.joins("db-4", "db");
      await it.until("it serves", () => it.areServing(["db-4"]));
      const agreed = { ...request, planHash: plan.hash };
      const refusal = await it.refused((baton) => baton.rollouts.start(OPERATOR, agreed));
      expect(refusal.code).toBe("plan-changed");
      expect(await it.baton.rollouts.list()).toEqual([]);
      const { hash } = await it.ask((baton) => baton.rollouts.plan(request));
      const { id } = await it.ask((baton) => baton.rollouts.start(OPERATOR, { ...request, planHash: hash }));
      expect((await it.done(id)).nodes).toHaveLength(4);
    },
  ],
  [
    "cancelled: who is under way finishes, the rest stays",
    fleet(quorum()),
    async (it) => {
      it.publish("2.0.0");
      const { id } = await it.rollOut("2.0.0");
      const first = await it.untilEnters(null, "draining");
      await it.ask((baton) => baton.rollouts.cancel(OPERATOR, id));
      await it.until("who is under way finishes", async () => (await it.fates(id))[first] === "succeeded");
      const expected = { "db-1": "1.0.0", "db-2": "1.0.0", "db-3": "1.0.0", [first]: "2.0.0" };
      await it.pass(minutes(5));
      expect(it.running()).toEqual(expected);
      expect((await it.rollout(id)).status).toBe("cancelled");
    },
  ],
  [
    "a bad build is quarantined, halts it, and is not tried again until told",
    fleet(quorum()),
    async (it) => {
      it.publish("2.0.0", "crashes-at-start");
      const { id } = await it.rollOut("2.0.0");
      const { nodes } = await it.done(id, "halted");
      const [bad] = nodes.filter(({ status }) => status === "rolled-back");
      expect(nodes.map(({ status }) => status).sort()).toEqual(["pending", "pending", "rolled-back"]);
      const name = bad?.name ?? "";
      expect(it.running()).toEqual({ "db-1": "1.0.0", "db-2": "1.0.0", "db-3": "1.0.0" });
      expect((await it.node(name)).quarantine.map(({ build }) => build.version)).toEqual(["2.0.0"]);
      const refusal = await it.refused((baton) =>
        baton.nodes.start(OPERATOR, it.idOf(name), "update", { release: "2.0.0" }),
      );
      expect(refusal.code).toBe("quarantined");
      const again = await it.start("update", name, { release: "2.0.0", retry: true });
      expect((await it.ended(again.id, "failed")).reason).not.toBeNull();
    },
  ],
  [
    "too many failures take everybody back",
    fleet(independent(4)),
    async (it) => {
      it.publish("2.0.0");
      const policy = { stages: [0.5, 1], pauseMs: 0, threshold: 0, onFailure: "rollback" as const };
      const { id } = await it.rollOut("2.0.0", { policy });
      await it.until("the first stage is done", async () => (await it.rollout(id)).stage === 1);
      // From now on every hook fails.
      it.world.luck = { fails: 1, overruns: 0 };
      const { rolledBackBy } = await it.done(id, "halted");
      it.world.luck = { fails: 0, overruns: 0 };
      await it.done(rolledBackBy ?? "");
      expect(new Set(Object.values(it.running()))).toEqual(new Set(["1.0.0"]));
    },
  ],
]);
