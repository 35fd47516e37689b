/** What fuzzing has found, each by its name and as small as it got. */
import type { FastifyError } from "fastify";
import { describe, expect, test } from "vitest";
import { parseConfig } from "../../agent/config.ts";
import { fetchPinnedRoot } from "../../agent/effects/trust/pin.ts";
import { refreshTrust } from "../../agent/effects/trust/refresh.ts";
import { failureOf } from "../../agent/session/http-client.ts";
import { exitOf } from "../../cli/failure.ts";
import { readKeyRequest, requestKeys } from "../../protocol/ceremony.ts";
import { parseJson } from "../../protocol/parse.ts";
import { plainProblem } from "../../protocol/problem.ts";
import { Type } from "../../protocol/schema.ts";
import { refusalOf } from "../../server-stub/api/problems.ts";
import { readCron } from "../../server-stub/core/window/cron.ts";
import { Client } from "../trust/client.ts";
import { Publisher } from "../trust/publisher.ts";
import { METADATA_URL, newSigner, Simulator } from "../trust/simulator.ts";

const DEEP = "[".repeat(20_000) + "]".repeat(20_000);

describe("found by fuzzing", () => {
  test("a schedule with a range of millions took all memory before it was refused", async () => {
    const read = await parseConfig('[poll]\nschedule = "0-999999999 * * * *"\n', "agent.toml");
    expect(read).toMatchObject({ ok: false, error: { problems: [{ key: "poll.schedule" }] } });
  });

  test.each([
    ["a code of 1,000 characters", { code: "x".repeat(1_000) }, { code: "unexpected-answer" }],
    ["a code that is a sentence", { code: "I refuse." }, { code: "unexpected-answer" }],
    ["a detail without an end", { detail: "y".repeat(9_000) }, { message: `${"y".repeat(999)}…` }],
    ["a detail that clears the screen", { detail: "\u001b[2Jgone" }, { message: " [2Jgone" }],
    ["a detail that says nothing", { detail: "" }, { message: "It was refused, and not said why." }],
  ])("%s became a reason that no coordinator takes", (_, more, expected) => {
    const problem = { type: "x", title: "x", status: 409, detail: "No.", code: "conflict", ...more };
    expect(failureOf("https://c", 409, JSON.stringify(problem), undefined)).toMatchObject(expected);
  });

  test.each(["-5", "1e9", "99999999999"])("Retry-After: %s was waited for", (after) => {
    expect(failureOf("https://c", 503, "", after).retryAfterMs).toBeUndefined();
  });

  test("a code that every object knows was an exit status", () => {
    expect(exitOf({ code: "constructor", message: "No." })).toBe(1);
  });

  test("a key that moves the cursor was told as it is", () => {
    const read = parseJson(Type.Object({}, { additionalProperties: false }), '{"\\u001b[2J":1}', "It");
    expect(read).toMatchObject({ ok: false, error: { message: expect.not.stringContaining("\u001b") } });
    expect(readCron("\u001b[2J * * * x")).toMatchObject({
      ok: false,
      error: { message: expect.not.stringContaining("\u001b") },
    });
    const error = {
      validation: [{ instancePath: `/${"x".repeat(500)}\n\u001b[2J` }],
      validationContext: "querystring",
    };
    const { message } = refusalOf(error as unknown as FastifyError);
    expect(message).toMatch(/^The request is malformed at querystring\/x{180,}…: it does not fit\.$/);
    expect(plainProblem({ type: "", title: "", status: 1, detail: "a\nb", code: "x" }).detail).toBe("a\nb");
  });

  test.each([
    ["a fraction", "0.5"],
    ["more levels than a stack has", DEEP],
  ])("a key request with %s was a crash", (_, odd) => {
    const asked = JSON.stringify(requestKeys({ snapshot: newSigner() }));
    const text = asked.replace('"keytype"', `"more":${odd},"keytype"`);
    expect(readKeyRequest(text)).toMatchObject({ ok: false, error: { code: "malformed" } });
  });

  test("a timestamp that clears the screen was told as it is", async () => {
    const sim = new Simulator();
    sim.serve("timestamp.json", "\u001b[2J");
    const client = await Client.make(sim);
    try {
      const refreshed = await refreshTrust(client.options);
      const message = expect.not.stringContaining("\u001b");
      expect(refreshed).toMatchObject({ ok: false, error: { code: "malformed", message } });
    } finally {
      await client.remove();
    }
  });

  test("a root deeper than a stack was a crash of who joins", async () => {
    const sim = new Simulator();
    const bytes = Buffer.from(String(sim.pinnedRoot).replace('"_type"', `"more":${DEEP},"_type"`));
    const joined = await fetchPinnedRoot({
      metadataUrl: METADATA_URL,
      timeoutMs: 1_000,
      fingerprint: "0".repeat(64),
      fetch: async () => ({
        status: 200,
        body: (async function* () {
          yield bytes;
        })(),
      }),
    });
    expect(joined).toMatchObject({ ok: false, error: { code: "malformed" } });
  });

  test("roots that no key can sign were a crash of the coordinator that was to install them", async () => {
    const publisher = await Publisher.make();
    try {
      const repository = await publisher.ready();
      const root = JSON.parse(JSON.stringify(publisher.root).replace('"_type"', '"more":0.5,"_type"'));
      const installed = await repository.installTrust([{ root }]);
      expect(installed).toMatchObject({ ok: false, error: { code: "root-refused" } });
    } finally {
      await publisher.remove();
    }
  });
});
