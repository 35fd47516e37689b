import { once } from "node:events";
import { createServer } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { realClock } from "../../../agent/effects/clock.ts";
import { silentLog } from "../../../agent/effects/log.ts";
import { realScheduler } from "../../../agent/effects/scheduler.ts";
import { createAddresses } from "../../../agent/session/addresses.ts";
import type { DiagnosisParts, HeartbeatParts, HelloParts } from "../../../agent/session/conversation.ts";
import { openHttp } from "../../../agent/session/http.ts";
import { createHttpClient } from "../../../agent/session/http-client.ts";
import { createNetwork } from "../../../agent/session/network.ts";
import { createSession, type SessionMode } from "../../../agent/session/session.ts";
import { openWebSocket } from "../../../agent/session/websocket.ts";
import { type Orders, PROTOCOL } from "../../../protocol/frames.ts";
import type { LogLine } from "../../../protocol/job.ts";
import { IDLE_UPDATE } from "../../harness/idle-update.ts";
import { CREDENTIAL, startCoordinator, type TestCoordinator } from "./coordinator.ts";

const BUILD = { version: "1.0.0", buildHash: "a".repeat(64) };
const INSTANCE = "00000000-0000-4000-8000-000000000001";
const JOB = "j-0123456789ab";

const idle: HeartbeatParts = {
  instanceId: INSTANCE,
  health: { healthy: true },
  journal: { kind: "idle" },
  finalWords: [],
  update: IDLE_UPDATE,
  holdings: { backup: null, hold: false, quarantine: [] },
};
const hello: HelloParts = {
  instanceId: INSTANCE,
  build: BUILD,
  platform: "linux-x64",
  runtime: "26.0.0",
  canHandOver: false,
  journal: { kind: "idle" },
  finalWords: [],
  holdings: { backup: null, hold: false, quarantine: [] },
};

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

async function coordinator(options: Parameters<typeof startCoordinator>[0] = {}) {
  const server = await startCoordinator(options);
  cleanUp.push(server.stop);
  return server;
}

type Happened = { readonly kind: "opened" | "closed" | "orders"; readonly value?: string | Orders };

function agent(server: TestCoordinator | string, mode: SessionMode, credential = CREDENTIAL) {
  const url = typeof server === "string" ? server : server.url;
  const addresses = createAddresses([url]);
  const http = createHttpClient({ addresses, credential, network: createNetwork({ caFile: null }) });
  const happened: Happened[] = [];
  const listeners = new Set<() => void>();
  const note = (what: Happened) => {
    happened.push(what);
    for (const listener of listeners) listener();
  };
  const parts = { ...idle };
  const lines: LogLine[] = [];
  const diagnoses = new Map<string, DiagnosisParts>();
  const session = createSession({
    mode,
    websocket: openWebSocket({ addresses, credential, network: createNetwork({ caFile: null }) }),
    http: openHttp({ http, addresses }),
    source: {
      hello: () => hello,
      heartbeat: () => parts,
      diagnosis: (jobId) => diagnoses.get(jobId) ?? null,
      logLines: async (_job, from, limit) => lines.slice(from, from + limit),
    },
    events: {
      welcomed: () => undefined,
      opened: (value) => note({ kind: "opened", value }),
      closed: () => note({ kind: "closed" }),
      orders: (value) => note({ kind: "orders", value }),
    },
    reconnect: { minMs: 5, maxMs: 40 },
    clock: realClock,
    scheduler: realScheduler,
    random: Math.random,
    log: silentLog,
  });
  cleanUp.push(async () => {
    await session.stop();
    await http.close();
  });
  return {
    session,
    parts,
    lines,
    diagnoses,
    happened,
    until: async (fits: (what: Happened) => boolean, from = 0) => {
      while (!happened.slice(from).some(fits))
        await new Promise<void>((resolve) => {
          const once = () => {
            listeners.delete(once);
            resolve();
          };
          listeners.add(once);
        });
    },
  };
}

const isHeartbeat = ({ frame }: { frame: { type: string } }) => frame.type === "heartbeat";
const seqOf = (frame: { seq?: number }) => frame.seq ?? 0;

describe.each(["websocket", "http"] as const)("a session by %s", (mode) => {
  it("says hello, then heartbeats that carry the session and a rising number", async () => {
    const server = await coordinator({ heartbeatMs: 20 });
    const { session, until } = agent(server, mode);
    session.start();
    await server.frame(({ frame }) => frame.type === "heartbeat" && frame.seq >= 4);
    await until(({ kind }) => kind === "orders");
    const beats = server.received.map(({ frame }) => frame).filter((frame) => frame.type === "heartbeat");
    expect(server.received[0]?.frame).toMatchObject({ type: "hello", protocol: PROTOCOL, build: BUILD });
    expect(server.received.every(({ via }) => via === mode)).toBe(true);
    expect(new Set(beats.map(({ session }) => session))).toEqual(new Set([server.session()]));
    const seqs = beats.map(seqOf);
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    expect(new Set(seqs).size).toBe(seqs.length);
    expect(session.status()).toMatchObject({ connected: true, transport: mode, server: server.url });
  });

  it("speaks the protocol of an older coordinator, and says nothing that it would not understand", async () => {
    const server = await coordinator({ heartbeatMs: 20, protocol: 1 });
    const { session, parts } = agent(server, mode);
    Object.assign(parts, { crashes: 3 });
    session.start();
    await server.frame(({ frame }) => frame.type === "heartbeat" && frame.seq >= 2);
    const hellos = server.received.map(({ frame }) => frame).filter((frame) => frame.type === "hello");
    expect(hellos.map(({ protocol }) => protocol)).toEqual([2, 1]);
    expect(server.received.some(({ frame }) => "crashes" in frame)).toBe(false);
  });

  it("tells how a diagnosis ended after the lines of its log, until it is not asked any more", async () => {
    const server = await coordinator({ heartbeatMs: 20 });
    const heard: number[] = [];
    server.listening.diagnosed = ({ seq }) => {
      heard.push(seq);
      if (heard.length === 3) delete server.wants.diagnose;
    };
    server.wants.diagnose = { jobId: JOB };
    server.wants.logNext = [{ jobId: JOB, index: 0 }];
    const { session, lines, parts, diagnoses } = agent(server, mode);
    Object.assign(parts, { crashes: 3 });
    session.start();
    await server.frame(({ frame }) => frame.type === "heartbeat" && frame.crashes === 3 && frame.seq >= 2);
    expect(heard).toEqual([]);
    lines.push({ index: 0, at: 1, source: "agent", step: null, text: "Fine." });
    diagnoses.set(JOB, { jobId: JOB, ok: true, findings: [] });
    session.logged();
    await server.frame(({ frame }) => frame.type === "diagnosis");
    const from = server.received.findIndex(({ frame }) => frame.type === "log");
    expect(from).toBeGreaterThan(0);
    expect(from).toBeLessThan(server.received.findIndex(({ frame }) => frame.type === "diagnosis"));
    await server.frame(() => heard.length === 3);
    const heartbeatsMore = (seq: number, more: number) =>
      server.frame(({ frame }) => frame.type === "heartbeat" && frame.seq > seq + more);
    // Orders of before may still be on their way.
    await heartbeatsMore(heard[2] ?? 0, 3);
    const said = heard.length;
    await heartbeatsMore(heard.at(-1) ?? 0, 8);
    expect(heard).toHaveLength(said);
  });

  it("says nothing between heartbeats while nothing changes, whatever it hears", async () => {
    const server = await coordinator({ heartbeatMs: 60_000 });
    const { session, parts, until } = agent(server, mode);
    session.start();
    await until(({ kind }) => kind === "orders");
    await server.frame(isHeartbeat);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      session.changed();
      expect(vi.getTimerCount()).toBe(0);
      parts.update = { ...parts.update, percent: 50 };
      session.changed();
      expect(vi.getTimerCount()).toBe(1);
    } finally {
      vi.useRealTimers();
    }
  });

  it("says hello again when the coordinator does not know the session any more", async () => {
    const server = await coordinator({ heartbeatMs: 20 });
    const { session, happened, until } = agent(server, mode);
    session.start();
    await server.frame(isHeartbeat);
    const from = server.received.length;
    const since = happened.length;
    server.forget();
    await server.frame(({ frame }) => frame.type === "hello", from);
    await until(({ kind }) => kind === "opened", since);
    expect(happened.slice(since).map(({ kind }) => kind)).toContain("closed");
    const fresh = await server.frame(
      ({ frame }) => frame.type === "heartbeat" && frame.session === server.session(),
    );
    expect(fresh.frame).toMatchObject({ seq: 1 });
  });

  it("tells at once what cannot wait, without the next heartbeat", async () => {
    const server = await coordinator({ heartbeatMs: 60_000 });
    const { session, parts } = agent(server, mode);
    session.start();
    await server.frame(isHeartbeat);
    parts.health = { healthy: false, detail: "no quorum" };
    session.changed();
    const told = await server.frame(({ frame }) => frame.type === "heartbeat" && !frame.health.healthy);
    expect(told.frame).toMatchObject({ seq: 2, health: { detail: "no quorum" } });
  });

  it("sends a job's log from the line that the coordinator wants", async () => {
    const server = await coordinator({ heartbeatMs: 20 });
    const { session, lines } = agent(server, mode);
    for (let index = 0; index < 250; index++)
      lines.push({ index, at: 1, source: "agent", step: null, text: `line ${index}` });
    server.wants.logNext = [{ jobId: JOB, index: 30 }];
    session.start();
    await server.frame(({ frame }) => frame.type === "log" && frame.lines.at(-1)?.index === 249);
    const sent = server.received.flatMap(({ frame }) => (frame.type === "log" ? frame.lines : []));
    expect(sent[0]?.index).toBe(30);
    expect(new Set(sent.map(({ index }) => index)).size).toBe(220);
    const from = server.received.length;
    lines.push({ index: 250, at: 1, source: "hook", step: "drain", text: "late" });
    session.logged();
    const { frame } = await server.frame(({ frame }) => frame.type === "log", from);
    expect(frame).toMatchObject({ jobId: JOB, lines: [{ index: 250, text: "late" }] });
  });

  it("hands orders in once each, newest only", async () => {
    const server = await coordinator({ heartbeatMs: 20 });
    const { session, happened, until } = agent(server, mode);
    server.wants.waiting = { code: "held-by", message: "two has the lease" };
    session.start();
    await until(({ kind, value }) => kind === "orders" && typeof value === "object" && value.seq >= 3);
    const seqs = happened.flatMap(({ value }) => (typeof value === "object" ? [value.seq] : []));
    expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
  });

  it("polls now, and says why when nobody answers", async () => {
    const server = await coordinator({ heartbeatMs: 60_000 });
    const { session } = agent(server, mode);
    session.start();
    await server.frame(isHeartbeat);
    const from = server.received.length;
    expect(await session.poll(5_000)).toEqual({ ok: true, value: undefined });
    await server.frame(isHeartbeat, from);
    await server.stop();
    cleanUp.splice(0, 1);
    await expect.poll(() => session.poll(100)).toMatchObject({ ok: false });
  });

  it("keeps trying with a credential that is not known, and says so", async () => {
    const server = await coordinator();
    const { session } = agent(server, mode, "somebody-else");
    session.start();
    expect(await session.poll(300)).toMatchObject({ ok: false, error: { code: "unauthorized" } });
    expect(session.status()).toMatchObject({ connected: false });
  });
});

describe("mode auto", () => {
  it("goes by HTTP where a WebSocket does not get through", async () => {
    const server = await coordinator({ heartbeatMs: 20, websocket: false });
    const { session } = agent(server, "auto");
    session.start();
    await server.frame(isHeartbeat);
    expect(session.status()).toMatchObject({ connected: true, transport: "http" });
  });

  it("goes by WebSocket where it can", async () => {
    const server = await coordinator({ heartbeatMs: 20 });
    const { session } = agent(server, "auto");
    session.start();
    await server.frame(isHeartbeat);
    expect(session.status().transport).toBe("websocket");
  });

  it("does not ask by HTTP when the credential is what is wrong", async () => {
    const server = await coordinator();
    const { session } = agent(server, "auto", "somebody-else");
    session.start();
    expect(await session.poll(200)).toMatchObject({ ok: false, error: { code: "unauthorized" } });
    expect(server.received).toEqual([]);
  });
});

describe("a WebSocket that breaks", () => {
  it("asks no more by itself when its credential was revoked, but at once when it is told to", async () => {
    const server = await coordinator({ heartbeatMs: 20 });
    const { session, until, happened } = agent(server, "websocket");
    session.start();
    await server.frame(isHeartbeat);
    const since = happened.length;
    server.close(4003);
    await until(({ kind }) => kind === "closed", since);
    await expect.poll(() => session.status().fault?.code).toBe("unauthorized");
    expect(await session.poll(5_000)).toEqual({ ok: true, value: undefined });
    expect(session.status().connected).toBe(true);
  });

  it.each([1001, 1011, 4001])("reconnects after close code %i", async (code) => {
    const server = await coordinator({ heartbeatMs: 20 });
    const { session, until, happened } = agent(server, "websocket");
    session.start();
    await server.frame(isHeartbeat);
    const since = happened.length;
    server.close(code);
    await until(({ kind }) => kind === "closed", since);
    await until(({ kind }) => kind === "opened", since);
    expect(session.status().connected).toBe(true);
  });

  it("is ended and reopened when the coordinator sends what is no frame", async () => {
    const server = await coordinator({ heartbeatMs: 20 });
    const { session, until, happened } = agent(server, "websocket");
    session.start();
    await server.frame(isHeartbeat);
    const since = happened.length;
    server.push('{"type":"surprise"}');
    await until(({ kind }) => kind === "closed", since);
    await until(({ kind }) => kind === "opened", since);
    expect(session.status().connected).toBe(true);
  });

  it("is given up when nothing is heard for three heartbeats", async () => {
    const server = await coordinator({ heartbeatMs: 100 });
    const { session, until, happened } = agent(server, "websocket");
    session.start();
    await server.frame(isHeartbeat);
    const since = happened.length;
    server.freeze();
    await until(({ kind }) => kind === "closed", since);
    await until(({ kind }) => kind === "opened", since);
    expect(session.status().connected).toBe(true);
  });

  it("does not wait for ever for a server that accepts and says nothing", async () => {
    const mute = createServer((socket) => socket.on("error", () => socket.destroy()));
    mute.listen(0, "127.0.0.1");
    await once(mute, "listening");
    const address = mute.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const { session } = agent(`http://127.0.0.1:${address.port}`, "auto");
    session.start();
    const started = performance.now();
    await session.stop();
    expect(performance.now() - started).toBeLessThan(2_000);
    mute.close();
  });
});
