import { expect } from "vitest";
import type { Job } from "../../../protocol/job.ts";
import { OPERATOR } from "../../simulation/coordinator.ts";
import { about, fleet, independent, minutes, quorum, seconds } from "../scenario.ts";

export const jobs = about("jobs", [
  [
    "tracked to the end",
    fleet(quorum()),
    async (it) => {
      it.publish("2.0.0");
      const followed = await it.follow();
      const { id } = await it.start("update", "db-1");
      const job = await it.ended(id);
      expect(job).toMatchObject({ step: "complete", percent: 100, reason: null, cause: "operator" });
      expect(job.from?.version).toBe("1.0.0");
      await it.pass(seconds(2));
      const statuses = followed.of("job", id, ({ status }: Job) => status);
      expect(statuses).toEqual(["queued", "running", "succeeded"]);
      const steps = followed.of("job", id, ({ step }: Job) => step);
      expect(steps).toEqual(expect.arrayContaining(["restart", "confirm", "complete"]));
      const lines = await it.ask((baton) => baton.jobs.log(id, 0, 1000));
      expect(lines.map(({ index }) => index)).toEqual(lines.map((_, at) => at));
      const ofSteps = new Set(lines.map(({ step }) => step));
      expect([...ofSteps]).toEqual(expect.arrayContaining(["prepare", "drain", "swap"]));
    },
  ],
  [
    "on the named node",
    fleet(independent(3)),
    async (it) => {
      it.publish("2.0.0");
      const { id, nodeId } = await it.start("update", "web-2");
      expect(nodeId).toBe(it.idOf("web-2"));
      await it.ended(id);
      expect(it.running()).toEqual({ "web-1": "1.0.0", "web-2": "2.0.0", "web-3": "1.0.0" });
      expect((await it.baton.jobs.list({ limit: 10 })).jobs).toHaveLength(1);
      const again = await it.refused((baton) => baton.nodes.start(OPERATOR, nodeId, "update", {}));
      expect(again.code).toBe("already-up-to-date");
    },
  ],
  [
    "retried after failure",
    fleet(quorum()),
    async (it) => {
      it.publish("2.0.0");
      it.world.luck = { fails: 1, overruns: 0 };
      const { id } = await it.start("update", "db-1");
      const failed = await it.ended(id, "failed");
      expect(failed.reason).not.toBeNull();
      expect(it.running()["db-1"]).toBe("1.0.0");
      it.world.luck = { fails: 0, overruns: 0 };
      const again = await it.ask((baton) => baton.jobs.retry(OPERATOR, id));
      expect(again).toMatchObject({ retryOf: id, status: "queued" });
      await it.ended(again.id);
      expect(it.running()["db-1"]).toBe("2.0.0");
      expect((await it.job(id)).status).toBe("failed");
    },
  ],
  [
    "cancelled while running",
    fleet(quorum()),
    async (it) => {
      it.publish("2.0.0");
      const { id } = await it.start("update", "db-1");
      await it.untilEnters("db-1", "preparing");
      await it.until("it runs", async () => (await it.job(id)).status === "running");
      const cancelled = await it.ask((baton) => baton.jobs.cancel(OPERATOR, id));
      expect(cancelled).toMatchObject({ status: "cancelled", reason: { code: "job-cancelled" } });
      await it.stays("it stays as it is", () => it.running()["db-1"] === "1.0.0", minutes(3));
      expect((await it.ask((baton) => baton.leases.view("db"))).holder).toBeNull();
      const another = await it.start("update", "db-1");
      await it.untilEnters("db-1", "draining");
      const refusal = await it.refused((baton) => baton.jobs.cancel(OPERATOR, another.id));
      expect(refusal.code).toBe("wrong-state");
      await it.ended(another.id);
    },
  ],
  [
    "timed out when stuck",
    fleet(independent(2)),
    async (it) => {
      it.publish("2.0.0");
      const { id } = await it.start("update", "web-1");
      await it.untilEnters("web-1", "preparing");
      // It is heard all the time, and comes no further: its disk takes nothing.
      it.machine("web-1").disk.slowness = 100_000;
      await it.until("it runs", async () => (await it.job(id)).status === "running");
      await it.stays("it is not given up", async () => (await it.job(id)).status === "running", minutes(28));
      const job = await it.ended(id, "failed");
      expect(job.reason?.code).toBe("timed-out");
    },
  ],
]);
