/**
 * A real coordinator behind its real HTTP door, spoken to without a network: over a state directory of its own, with
 * hands on its clock, and with a publisher whose keys it trusts as soon as the test says so.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Readable, Writable } from "node:stream";
import { text as readText } from "node:stream/consumers";
import type { FastifyInstance } from "fastify";
import pino from "pino";
import type { AuditEntry } from "../../../protocol/audit.ts";
import type { Build } from "../../../protocol/build.ts";
import { uploadPath } from "../../../protocol/trust.ts";
import { identifyByBearer } from "../../../server-stub/api/authorize.ts";
import { createApi } from "../../../server-stub/api/server.ts";
import { type Assembled, assemble } from "../../../server-stub/assemble.ts";
import { init } from "../../../server-stub/commands/init.ts";
import { parseConfig } from "../../../server-stub/config.ts";
import { Publisher } from "../../trust/publisher.ts";
import { SettableClock } from "../service/settable-clock.ts";
import { DoorNode } from "./door-node.ts";

export type DoorAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** What the text is as JSON; an empty object when it is none. */
  readonly body: Record<string, unknown>;
};

export type DoorCall = {
  readonly token?: string | null;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** The address that it comes from. */
  readonly from?: string;
  /** The answer is a stream of events without an end: read until one came, after this was done. */
  readonly provoke?: () => Promise<unknown>;
  /** A stream of events is not read at all. */
  readonly headersOnly?: boolean;
};

/** Nobody waits here for as long as a real coordinator does. */
const WEBHOOK_TIMEOUT_MS = 500;

export class Door {
  readonly clock = new SettableClock();
  readonly publisher: Publisher;
  /** Every line that was logged, as it was written. */
  readonly logged: string[] = [];
  /** Every answer that was given, as text. */
  readonly answered: string[] = [];
  adminToken = "";
  #assembled: Assembled | undefined;
  #api: FastifyInstance | undefined;
  #drawn = 0;

  static async open(settings = ""): Promise<Door> {
    const door = new Door(await Publisher.make());
    await door.#open(settings);
    return door;
  }

  private constructor(publisher: Publisher) {
    this.publisher = publisher;
    publisher.now = this.clock.now();
  }

  async #open(settings: string): Promise<void> {
    const config = parseConfig(settings, "test.toml", { stateDir: this.publisher.dir, port: 0 });
    if (!config.ok) throw new Error(config.error.message);
    const tokenFile = join(this.publisher.dir, "admin.token");
    await init(config.value, tokenFile);
    this.adminToken = (await readFile(tokenFile, "utf8")).trim();
    const stream = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.logged.push(chunk.toString());
        done();
      },
    });
    const webhooks = { ...config.value.webhooks, timeoutMs: WEBHOOK_TIMEOUT_MS };
    const assembled = await assemble(
      { ...config.value, webhooks },
      pino({ level: "trace" }, stream),
      this.clock,
    );
    if (!assembled.ok) throw new Error(assembled.error.message);
    this.#assembled = assembled.value;
    const { doors, coordinator } = assembled.value;
    const identify = identifyByBearer((secret, from) => coordinator.access.authenticate(secret, from));
    this.#api = createApi({ ...doors, identify, publicUrl: () => "https://baton.example:8420" });
    await this.#api.ready();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#api?.close();
    await this.#assembled?.close();
    await this.publisher.remove();
  }

  async call(method: string, path: string, options: DoorCall = {}): Promise<DoorAnswer> {
    const {
      token = this.adminToken,
      body,
      headers = {},
      from = "127.0.0.1",
      provoke,
      headersOnly = false,
    } = options;
    if (this.#api === undefined) throw new Error("the door is closed");
    const isBytes = body instanceof Buffer || typeof body === "string";
    const answer = await this.#api.inject({
      method: method as "GET",
      url: path,
      remoteAddress: from,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined || isBytes ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: isBytes ? body : JSON.stringify(body) }),
      payloadAsStream: provoke !== undefined || headersOnly,
    });
    await provoke?.();
    const text =
      provoke === undefined && !headersOnly
        ? answer.payload
        : headersOnly
          ? await unlessEvents(answer.stream(), String(answer.headers["content-type"]))
          : await firstEvent(answer.stream());
    this.answered.push(text);
    const isJson = /[/+]json\b/.test(String(answer.headers["content-type"]));
    return {
      status: answer.statusCode,
      headers: answer.headers as Record<string, string>,
      text,
      body: isJson && text !== "" ? (JSON.parse(text) as Record<string, unknown>) : {},
    };
  }

  /** A call that must succeed. */
  async must(method: string, path: string, options: DoorCall = {}): Promise<Record<string, unknown>> {
    const answer = await this.call(method, path, options);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  }

  async tick(passMs = 0): Promise<void> {
    this.clock.pass(passMs);
    await this.#assembled?.coordinator.tick();
  }

  /** A name that nothing has yet. */
  fresh(what: string): string {
    this.#drawn += 1;
    return `${what}-${this.#drawn}`;
  }

  /** Id of the newest entry in the audit log. */
  async lastChange(): Promise<number> {
    return (await this.changes(1))[0]?.id ?? 0;
  }

  /** The newest entries of the audit log. */
  async changes(limit: number): Promise<readonly AuditEntry[]> {
    return (await this.must("GET", `/v1/audit?limit=${limit}`)).entries as AuditEntry[];
  }

  /** The ceremony, and `version` published. */
  async publish(version: string): Promise<void> {
    const { publisher } = this;
    if (publisher.root === null) {
      const updates = [{ root: await publisher.ceremony() }];
      await this.must("POST", "/v1/trust", { body: { updates } });
    }
    const { sha256, content } = publisher.bundle(version);
    await this.upload(sha256, content);
    const targets = publisher.sign(version);
    const expectedTargetsVersion = targets.signed.version - 1;
    await this.must("POST", "/v1/releases", { body: { targets, expectedTargetsVersion } });
    publisher.targets = targets;
  }

  async upload(sha256: string, content: Buffer): Promise<DoorAnswer> {
    const headers = { "content-type": "application/octet-stream" };
    return this.call("PUT", uploadPath(sha256), { body: content, headers });
  }

  /** The build of a published version, for the nodes here. */
  build(version: string): Build {
    const { versionJson } = this.publisher.bundle(version);
    return { version: versionJson.version, buildHash: versionJson.buildHash };
  }

  async group(more: { mode?: string; name?: string } = {}): Promise<string> {
    const name = more.name ?? this.fresh("group");
    await this.must("POST", "/v1/groups", { body: { ...more, name } });
    return name;
  }

  /** A node that has joined; it has not said a word yet. */
  async join(options: { group?: string; autoApprove?: boolean } = {}): Promise<DoorNode> {
    const { group = await this.group(), autoApprove = true } = options;
    const token = await this.must("POST", "/v1/join-tokens", { body: { group, autoApprove } });
    const name = this.fresh("node");
    const joined = await this.must("POST", "/v1/join", { token: null, body: { token: token.secret, name } });
    return new DoorNode(this, String(joined.nodeId), name, group, String(joined.credential));
  }

  /** A node that is there: welcomed, and heard once. */
  async online(options: { group?: string; protocol?: number } = {}): Promise<DoorNode> {
    const node = await this.join(options);
    await node.hello(options.protocol);
    await node.beat();
    return node;
  }
}

/** The text of a stream; nothing of one of events, which would not end. */
async function unlessEvents(stream: Readable, type: string): Promise<string> {
  if (!type.startsWith("text/event-stream")) return readText(stream);
  stream.destroy();
  return "";
}

/** The text of a stream of server-sent events up to the end of the first that has data. */
async function firstEvent(stream: Readable): Promise<string> {
  let text = "";
  for await (const chunk of stream) {
    text += String(chunk);
    if (/^data: .*\n\n/m.test(text)) break;
  }
  return text;
}
