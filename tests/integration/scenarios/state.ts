import { expect } from "vitest";
import type { Job } from "../../../protocol/job.ts";
import type { RolloutSummary } from "../../../protocol/rollout.ts";
import type { Coordinator } from "../../../server-stub/service/coordinator.ts";
import { type CoordinatorMachine, OPERATOR } from "../../simulation/coordinator.ts";
import { must } from "../../simulation/world.ts";
import { about, minutes, ofTwo, quorum, seconds } from "../scenario.ts";

const NEW = { "db-1": "2.0.0", "db-2": "2.0.0", "db-3": "2.0.0" };

export const state = about("state", [
  [
    "a rollout started on one coordinator is seen by all",
    ofTwo(quorum()),
    async (it) => {
      it.publish("2.0.0");
      const { other } = it.replicas;
      const elsewhere = await it.follow(null, other);
      const { id } = await it.rollOut("2.0.0");
      const seen = must(await at(other).rollouts.get(id));
      expect(seen).toMatchObject({ id, release: "2.0.0", startedBy: "ada" });
      expect(seen.nodes.map(({ name }) => name).sort()).toEqual(["db-1", "db-2", "db-3"]);
      await it.done(id);
      await it.pass(seconds(2));
      expect(must(await at(other).rollouts.get(id)).status).toBe("completed");
      expect(elsewhere.of("rollout", id, ({ status }: RolloutSummary) => status)).toEqual([
        "pending",
        "running",
        "completed",
      ]);
    },
  ],
  [
    "membership changes too",
    ofTwo(quorum()),
    async (it) => {
      const { other } = it.replicas;
      const membership = async () => {
        const node = must(await at(other).nodes.get(it.idOf("db-4"))).membership;
        const { voters, quorum } = must(await at(other).leases.view("db"));
        return { node, voters, quorum };
      };
      await it.joins("db-4", "db", { approved: false });
      expect(await membership()).toEqual({ node: "pending", voters: 3, quorum: 2 });
      await it.ask((baton) => baton.nodes.approve(OPERATOR, it.idOf("db-4")));
      expect(await membership()).toEqual({ node: "approved", voters: 4, quorum: 3 });
      await it.ask((baton) => baton.nodes.remove(OPERATOR, it.idOf("db-1")));
      expect(await membership()).toEqual({ node: "approved", voters: 3, quorum: 2 });
    },
  ],
  [
    "a job has one status everywhere",
    ofTwo(quorum()),
    async (it) => {
      it.publish("2.0.0");
      const { first, other } = it.replicas;
      const [here, there] = [await it.follow(null, first), await it.follow(null, other)];
      const { id } = await it.start("update", "db-2");
      await it.until("it is over everywhere at once", async () => {
        const [one, two] = [must(await at(first).jobs.get(id)), must(await at(other).jobs.get(id))];
        expect([two.status, two.reason]).toEqual([one.status, one.reason]);
        return one.status === "succeeded";
      });
      await it.pass(seconds(2));
      const statuses = ["queued", "running", "succeeded"];
      for (const followed of [here, there])
        expect(followed.of("job", id, ({ status }: Job) => status)).toEqual(statuses);
    },
  ],
  [
    "the next engine goes on after the old one dies",
    ofTwo(quorum()),
    async (it) => {
      it.publish("2.0.0");
      const { first, other } = it.replicas;
      const { id } = await it.rollOut("2.0.0");
      const holder = await it.untilEnters(null, "swapping");
      const { token } = (await it.ask((baton) => baton.leases.view("db"))).holder ?? {};
      await it.world.outside(first.crash());
      const from = it.world.time.now;
      await it.until("the other takes over", () => it.seated()[0] === other.name, seconds(5));
      expect(it.world.time.now - from).toBeLessThanOrEqual(seconds(5));
      expect((await it.ask((baton) => baton.leases.view("db"))).holder).toMatchObject({
        token,
        nodeId: it.idOf(holder),
      });
      await it.world.outside(first.start());
      await it.done(id);
      expect(it.running()).toEqual(NEW);
      expect(it.seated()).toEqual([other.name]);
      const returned = (await it.baton.audit.list(200)).filter(({ action }) => action === "lease.returned");
      expect(returned).toHaveLength(3);
    },
  ],
  [
    "an engine that slept through its own succession writes nothing",
    ofTwo(quorum()),
    async (it) => {
      it.publish("2.0.0");
      const { first, other } = it.replicas;
      const { id } = await it.rollOut("2.0.0");
      await it.untilEnters(null, "probation");
      first.clock.sleep();
      await it.until("the other takes over", () => other.isUp, seconds(30));
      await it.pass(seconds(20));
      const written = it.writes(first.name);
      first.clock.wake();
      // It still believes that it decides, until its first write is refused.
      expect(first.isUp).toBe(true);
      await it.until("it knows", () => !first.isUp, seconds(10));
      await it.done(id);
      expect(it.writes(first.name)).toBe(written);
      expect(it.running()).toEqual(NEW);
      expect(await it.openAlerts()).toEqual([]);
      await it.pass(minutes(1));
      expect(it.seated()).toEqual([other.name]);
    },
  ],
]);

function at({ name, services }: CoordinatorMachine): Coordinator {
  if (services === null) throw new Error(`coordinator ${name} is down`);
  return services;
}
