import { expect } from "vitest";
import type { Principal } from "../../../server-stub/service/coordinator.ts";
import { OPERATOR } from "../../simulation/coordinator.ts";
import { Followed } from "../followed.ts";
import { about, fleet, independent, minutes, quorum, seconds } from "../scenario.ts";

export const access = about("who may", [
  [
    "a revoked node is not heard any more",
    fleet(independent(3)),
    async (it) => {
      it.publish("2.0.0");
      await it.ask((baton) => baton.nodes.revoke(OPERATOR, it.idOf("web-3")));
      expect(await it.world.coordinator.doors.authenticate(it.machine("web-3").credential)).toBeNull();
      await it.until("it is gone", async () => (await it.node("web-3")).presence !== "online");
      await it.done((await it.rollOut("2.0.0", { selection: { nodes: ["web-1", "web-2"] } })).id);
      await it.pass(minutes(2));
      expect(it.running()["web-3"]).toBe("1.0.0");
      expect((await it.node("web-3")).membership).toBe("revoked");
    },
  ],
  [
    "a revoked token reads no further",
    fleet(),
    async (it) => {
      const { token, secret } = await it.ask((baton) =>
        baton.access.createToken(OPERATOR, { name: "grace", role: "viewer" }),
      );
      const who = () => it.world.whileTimePasses(it.baton.access.authenticate(secret, "10.0.0.2"));
      const grace = await who();
      expect(grace).toMatchObject({ name: "grace", role: "viewer" });
      const reading = await Followed.open(it.baton, null, grace as Principal);
      await it.ask((baton) => baton.access.revokeToken(OPERATOR, token.id));
      await it.pass(seconds(2));
      expect(reading.checks).toBe(1);
      expect(await who()).toBeNull();
    },
  ],
  [
    "an agent one protocol back is updated, an older one refused",
    { groups: [{ ...quorum(), nodes: quorum().nodes.map((node) => ({ ...node, protocol: 1 })) }] },
    async (it) => {
      it.publish("2.0.0");
      await it.done((await it.rollOut("2.0.0")).id);
      const asked = await it.refused((baton) => baton.nodes.start(OPERATOR, it.idOf("db-1"), "diagnose", {}));
      expect(asked.code).toBe("not-supported");
      const { agent } = it.machine("db-1");
      if (agent === null) throw new Error("db-1 does not run");
      const hello = {
        type: "hello",
        ...agent.helloParts(),
        platform: "linux-x64",
        runtime: "26.10.0",
      } as const;
      const answers = it.baton.sessions.receive(it.idOf("db-1"), [{ ...hello, protocol: 0 }]);
      expect(await it.world.whileTimePasses(answers)).toMatchObject([{ type: "refused", code: "protocol" }]);
    },
  ],
]);
