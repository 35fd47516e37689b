import { expect } from "vitest";
import { OPERATOR } from "../../simulation/coordinator.ts";
import { FAIR, type Weather } from "../../simulation/network.ts";
import { about, fleet, hours, led, minutes, quorum, seconds } from "../scenario.ts";

const STORM: Weather = { loss: 0, repeat: 0.4, late: 0.3, maxLatencyMs: 300 };
const NEW = { "db-1": "2.0.0", "db-2": "2.0.0", "db-3": "2.0.0" };

const tokenIn = (entry: unknown): number => (entry as { readonly token: number }).token;

export const troubles = about("network, clocks and power", [
  [
    "messages that come twice, late and out of order change nothing",
    fleet(led()),
    async (it) => {
      it.publish("2.0.0");
      it.world.network.weather = STORM;
      const { id } = await it.rollOut("2.0.0");
      // Three heartbeats in a row may not come through in time: then the node goes back, and the rollout halts.
      await it.until("it is over", async () => (await it.rollout(id)).endedAt !== null, minutes(20));
      it.world.network.weather = FAIR;
      if ((await it.rollout(id)).status === "halted") {
        await it.ask((baton) => baton.rollouts.retry(OPERATOR, id));
        await it.done(id);
      }
      expect(it.running()).toEqual(NEW);
      const tokens = async (action: string): Promise<number[]> => {
        const entries = (await it.baton.audit.list(200)).filter((each) => each.action === action);
        return entries.map(({ before, after }) => tokenIn(before ?? after)).sort((x, y) => x - y);
      };
      const returned = await tokens("lease.returned");
      expect(returned.length).toBeGreaterThanOrEqual(3);
      // What was asked for twice was granted under one token, and no lease came back twice.
      expect(returned).toEqual([...new Set(await tokens("lease.reserved"))]);
    },
  ],
  [
    "wall clocks that jump disturb nothing",
    fleet(quorum()),
    async (it) => {
      it.publish("2.0.0");
      const { id } = await it.rollOut("2.0.0");
      const first = await it.untilEnters(null, "draining");
      it.machine(first).clock.setWall(hours(24 * 365));
      it.world.coordinator.clock.setWall(-hours(48));
      await it.untilEnters(null, "probation");
      it.world.coordinator.clock.setWall(hours(96));
      await it.done(id);
      expect(it.running()).toEqual(NEW);
      expect(await it.openAlerts()).toEqual([]);
    },
  ],
  [
    "a node that hears and is not heard is nobody's holder for ever",
    fleet(quorum()),
    async (it) => {
      it.publish("2.0.0");
      const { id } = await it.rollOut("2.0.0");
      const first = await it.untilEnters(null, "reserving");
      it.cutOff(first, "to-coordinator");
      await it.until("it is offline", async () => (await it.node(first)).presence === "offline");
      const others = () => Object.entries(it.running()).filter(([name]) => name !== first);
      await it.stays("nobody may follow", () => others().every(([, runs]) => runs === "1.0.0"), seconds(20));
      it.reconnect(first);
      await it.until("the rollout is over", async () => (await it.rollout(id)).endedAt !== null, minutes(20));
      expect(new Set(Object.values(await it.fates(id)))).toEqual(new Set(["succeeded"]));
    },
  ],
  [
    "a node that is heard and does not hear is not confirmed by itself",
    fleet(quorum()),
    async (it) => {
      it.publish("2.0.0");
      const { id } = await it.rollOut("2.0.0");
      const first = await it.untilEnters(null, "probation");
      await it.until("it is heard again", async () => (await it.node(first)).build?.version === "2.0.0");
      it.cutOff(first, "to-node");
      await it.stays(
        "nobody follows before it has said that it is kept",
        () => Object.values(it.running()).filter((runs) => runs === "2.0.0").length <= 1,
        minutes(1),
      );
      it.reconnect(first);
      await it.until("the rollout is over", async () => (await it.rollout(id)).endedAt !== null, minutes(20));
      const { status } = await it.rollout(id);
      expect(["completed", "halted"]).toContain(status);
    },
  ],
  [
    "power that fails in the middle of the swap leaves one whole build",
    fleet(quorum()),
    async (it) => {
      it.publish("2.0.0");
      const { id } = await it.rollOut("2.0.0");
      const first = await it.untilEnters(null, "swapping");
      it.machine(first).cutPower("some-lost");
      await it.pass(seconds(30));
      it.machine(first).boot();
      await it.until("it runs again", () => it.running()[first] != null);
      await it.until("its turn is over", async () =>
        ["succeeded", "rolled-back", "failed", "pending"].includes((await it.fates(id))[first] ?? ""),
      );
      await it.until("all serve", () => it.areServing(["db-1", "db-2", "db-3"]));
      const runs = it.running()[first];
      expect((await it.node(first)).build?.version).toBe(runs);
      expect(runs).toBe((await it.fates(id))[first] === "succeeded" ? "2.0.0" : "1.0.0");
    },
  ],
  [
    "a coordinator away for longer than a probation condemns no build",
    fleet(quorum()),
    async (it) => {
      it.publish("2.0.0");
      const { id } = await it.rollOut("2.0.0");
      const first = await it.untilEnters(null, "swapping");
      await it.restartCoordinator(minutes(4));
      await it.done(id);
      expect(it.running()).toEqual(NEW);
      expect((await it.node(first)).quarantine).toEqual([]);
      expect(await it.openAlerts()).toEqual([]);
    },
  ],
  [
    "a machine that slept past its time to act asks again",
    fleet(quorum()),
    async (it) => {
      it.publish("2.0.0");
      const { id } = await it.rollOut("2.0.0");
      const first = await it.untilEnters(null, "draining");
      const token = async () => (await it.ask((baton) => baton.leases.view("db"))).holder?.token;
      const before = await token();
      it.machine(first).suspend(minutes(2));
      const states = it.statesOf(first);
      await it.stays("it does not act in its sleep", () => it.running()[first] === "1.0.0", minutes(2));
      expect(await token()).toBe(before);
      await it.done(id);
      expect(states.slice(0, states.indexOf("swapping"))).toContain("committing");
      expect(it.running()).toEqual(NEW);
    },
  ],
]);
