import { expect } from "vitest";
import { NotInSeat } from "../../../server-stub/store/seated.ts";
import { OPERATOR } from "../../simulation/coordinator.ts";
import { about, fleet, minutes, ofTwo, quorum, seconds } from "../scenario.ts";

export const formation = about("formation", [
  [
    "one of several coordinators runs the engine",
    ofTwo(quorum()),
    async (it) => {
      it.publish("2.0.0");
      const { first, other } = it.replicas;
      const { id } = await it.rollOut("2.0.0");
      await it.until("it is over", async () => {
        expect(it.seated()).toEqual([first.name]);
        return (await it.rollout(id)).status === "completed";
      });
      const { services } = other;
      if (services === null) throw new Error("the other one is down");
      // Who stands by hears no agent, and can change nothing.
      const group = { name: "more" } as const;
      await expect(it.world.whileTimePasses(services.groups.create(OPERATOR, group))).rejects.toThrow(
        NotInSeat,
      );
      expect((await it.baton.groups.list()).map(({ name }) => name)).toEqual(["db"]);
    },
  ],
  [
    "a node is added",
    fleet(quorum()),
    async (it) => {
      it.publish("2.0.0");
      await it.done((await it.rollOut("2.0.0")).id);
      await it.joins("db-4", "db", { runs: "1.0.0" });
      await it.until(
        "the new node is brought to the group's release",
        () => it.running()["db-4"] === "2.0.0",
      );
      await it.until("its job is over", async () => (await it.node("db-4")).jobId === null);
      const { cause, status } = await it.jobOf("db-4");
      expect({ cause, status }).toEqual({ cause: "catch-up", status: "succeeded" });
      expect(await it.areServing(["db-1", "db-2", "db-3", "db-4"])).toBe(true);
    },
  ],
  [
    "approval",
    fleet(quorum()),
    async (it) => {
      it.publish("2.0.0");
      await it.joins("db-4", "db", { approved: false });
      await it.until("it is heard", async () => (await it.node("db-4")).presence === "online");
      const refusal = await it.refused((baton) => baton.nodes.start(OPERATOR, it.idOf("db-4"), "update", {}));
      expect(refusal.code).toBe("node-not-approved");
      const { id } = await it.rollOut("2.0.0");
      expect(Object.keys(await it.fates(id)).sort()).toEqual(["db-1", "db-2", "db-3"]);
      await it.done(id);
      const hasNoJob = async () => (await it.node("db-4")).jobId === null;
      await it.stays("who waits for approval gets no job", hasNoJob, minutes(5));
      expect(it.running()["db-4"]).toBe("1.0.0");
      await it.ask((baton) => baton.nodes.approve(OPERATOR, it.idOf("db-4")));
      await it.until("who is approved is brought along", () => it.running()["db-4"] === "2.0.0");
    },
  ],
  [
    "membership follows",
    fleet(quorum("db", 5)),
    async (it) => {
      const quorumOf = async () => {
        const { voters, quorum, serving } = await it.ask((baton) => baton.leases.view("db"));
        return { voters, quorum, serving };
      };
      expect(await quorumOf()).toEqual({ voters: 5, quorum: 3, serving: 5 });
      await it.joins("db-6", "db", { approved: false });
      await it.until("it is heard", async () => (await it.node("db-6")).presence === "online");
      await it.pass(seconds(20));
      expect(await quorumOf()).toEqual({ voters: 5, quorum: 3, serving: 5 });
      await it.ask((baton) => baton.nodes.approve(OPERATOR, it.idOf("db-6")));
      expect(await quorumOf()).toEqual({ voters: 6, quorum: 4, serving: 6 });
      it.machine("db-1").vanish();
      await it.until("it serves no more", async () => (await quorumOf()).serving === 5, minutes(1));
      expect(await quorumOf()).toEqual({ voters: 6, quorum: 4, serving: 5 });
      await it.ask((baton) => baton.nodes.remove(OPERATOR, it.idOf("db-1")));
      expect(await quorumOf()).toEqual({ voters: 5, quorum: 3, serving: 5 });
    },
  ],
]);
