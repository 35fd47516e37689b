import { createHmac } from "node:crypto";
import { expect } from "vitest";
import { Receiver } from "../../server-stub/harness/receiver.ts";
import { OPERATOR } from "../../simulation/coordinator.ts";
import { about, fleet, minutes, quorum } from "../scenario.ts";

export const telling = about("what is told", [
  [
    "an alert is raised once, and resolves itself",
    fleet(quorum()),
    async (it) => {
      it.publish("2.0.0", "is-unhealthy");
      const { id } = await it.rollOut("2.0.0");
      await it.done(id, "halted");
      await it.pass(minutes(10));
      const raised = (await it.baton.alerts.list({ state: "all" })).map(({ kind }) => kind).sort();
      expect(raised).toEqual(["fleet_update_halted", "update_failed"]);
      it.publish("3.0.0");
      await it.done((await it.rollOut("3.0.0")).id);
      await it.until("they are resolved", async () => (await it.openAlerts()).length === 0);
      const [one] = await it.baton.alerts.list({ state: "all" });
      expect(one?.resolvedBy).toEqual(expect.any(String));
    },
  ],
  [
    "a webhook is told, signed, and told again when it was away",
    { groups: [quorum()], services: { webhooks: { allowPrivate: true } } },
    async (it) => {
      await using receiver = await Receiver.listen();
      receiver.answer = (response) => response.writeHead(503).end();
      const { secret, webhook } = await it.ask((baton) =>
        baton.webhooks.create(OPERATOR, { url: receiver.url, alerts: ["node_offline"] }),
      );
      it.cutOff("db-1");
      await it.until("it is offline", async () => (await it.openAlerts()).includes("node_offline"));
      await it.arrives("it is told", () => receiver.received.length === 1);
      receiver.answer = (response) => response.writeHead(204).end();
      const [first] = receiver.received;
      if (first === undefined) throw new Error("nothing was received");
      expect(first.message).toMatchObject({ event: "alert.raised", alert: { kind: "node_offline" } });
      const { headers, body } = first;
      const mac = createHmac("sha256", secret).update(
        `${String(headers["baton-webhook-timestamp"])}.${body}`,
      );
      expect(headers["baton-webhook-signature"]).toBe(`v1=${mac.digest("hex")}`);
      await it.arrives("it is told again", () => receiver.received.length === 2);
      expect(receiver.received[1]?.message.id).toBe(first.message.id);
      await it.arrives("that is noted", async () => {
        const page = { before: undefined, limit: 10 };
        const [delivery] = await it.ask((baton) => baton.webhooks.deliveries(webhook.id, page));
        return delivery?.attempts === 2 && delivery.status === "delivered";
      });
    },
  ],
  [
    "a diagnosis beside an update",
    fleet(quorum()),
    async (it) => {
      it.publish("2.0.0");
      const update = await it.start("update", "db-1");
      const diagnosis = await it.start("diagnose", "db-1");
      await it.ended(diagnosis.id);
      const lines = await it.ask((baton) => baton.jobs.log(diagnosis.id, 0, 100));
      expect(lines.map(({ text }) => text).join("\n")).toContain("There is room on the disk.");
      expect((await it.job(update.id)).status).not.toBe("failed");
      await it.ended(update.id);
    },
  ],
]);
