import { Agent, get } from "node:http";

const NO_ANSWER = "no answer in time";

/** What a workload said at one look, or why it counts as down. */
export type Sample = {
  /** When the look began, milliseconds on the sampler's own rising clock, from 0. */
  readonly atMs: number;
  readonly up: boolean;
  readonly version?: string;
  readonly role?: string;
  /** Why it is down: an error's code, `HTTP 503`, `unhealthy`. */
  readonly why?: string;
};

export type SamplerOptions = {
  /** Name of each node with the address of its workload's health, which answers JSON. */
  readonly targets: Readonly<Record<string, string>>;
  readonly everyMs?: number;
  /** A workload that gives no answer for this long counts as down at that look. */
  readonly timeoutMs?: number;
};

/** A stretch of time in which a node was down. `toMs` is the first look that found it up again. */
export type Outage = {
  readonly node: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly why: string;
};

/**
 * Looks at every workload from outside, every 50 ms, all at the same instants, and keeps what it saw. A look
 * counts for the instant at which it began, however late the answer comes, so a slow machine is not taken for
 * one that is down.
 */
export class Sampler {
  readonly #samples: Map<string, Sample[]>;
  readonly #options: SamplerOptions;
  readonly #started = performance.now();
  readonly #timer: NodeJS.Timeout;
  readonly #underWay = new Set<Promise<void>>();
  readonly #agent = new Agent({ keepAlive: false });

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#samples = new Map(Object.keys(options.targets).map((name) => [name, []]));
    this.#timer = setInterval(() => this.#lookAtAll(), options.everyMs ?? 50);
    this.#lookAtAll();
  }

  /** Ends it and waits for the last answers. May be called twice. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#underWay);
  }

  /** What was seen of a node so far, in the order of the looks. */
  samples(node: string): readonly Sample[] {
    return withoutLost((this.#samples.get(node) ?? []).toSorted((a, b) => a.atMs - b.atMs));
  }

  /** The most nodes that were down at one instant, and when that was. */
  mostDown(): { readonly count: number; readonly atMs: number; readonly nodes: readonly string[] } {
    const down = new Map<number, string[]>();
    for (const name of this.#samples.keys()) {
      for (const sample of this.samples(name)) {
        if (!sample.up) down.set(sample.atMs, [...(down.get(sample.atMs) ?? []), name]);
      }
    }
    let most = { count: 0, atMs: 0, nodes: [] as readonly string[] };
    for (const [atMs, nodes] of down)
      if (nodes.length > most.count) most = { count: nodes.length, atMs, nodes };
    return most;
  }

  /** Every outage of every node, in the order of their beginning. */
  outages(): readonly Outage[] {
    const all = [...this.#samples.keys()].flatMap((node) => outagesOf(node, this.samples(node)));
    return all.sort((a, b) => a.fromMs - b.fromMs);
  }

  /** When each version was first seen serving on a node, in order. */
  versions(node: string): readonly { readonly version: string; readonly atMs: number }[] {
    const changes: { version: string; atMs: number }[] = [];
    for (const { version, atMs } of this.samples(node)) {
      if (version !== undefined && version !== changes.at(-1)?.version) changes.push({ version, atMs });
    }
    return changes;
  }

  /** How many instants it has looked at. */
  get looks(): number {
    return Math.max(0, ...[...this.#samples.values()].map((samples) => samples.length));
  }

  #lookAtAll(): void {
    const atMs = performance.now() - this.#started;
    for (const [name, url] of Object.entries(this.#options.targets)) {
      const look = this.#look(url, atMs).then((sample) => void this.#samples.get(name)?.push(sample));
      this.#underWay.add(look);
      void look.then(() => this.#underWay.delete(look));
    }
  }

  #look(url: string, atMs: number): Promise<Sample> {
    return new Promise((resolve) => {
      const down = (why: string) => resolve({ atMs, up: false, why });
      const signal = AbortSignal.timeout(this.#options.timeoutMs ?? 1_000);
      const request = get(url, { agent: this.#agent, signal }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        response.on("error", (error) => down(codeOf(error)));
        response.on("end", () => resolve(judge(atMs, response.statusCode ?? 0, text)));
      });
      request.on("error", (error) => down(codeOf(error)));
    });
  }
}

function judge(atMs: number, status: number, text: string): Sample {
  const said = parseObject(text);
  const word = (key: string) => (typeof said[key] === "string" ? { [key]: said[key] } : {});
  const about = { atMs, ...word("version"), ...word("role") };
  if (status !== 200) return { ...about, up: false, why: `HTTP ${status}` };
  return said.healthy === false ? { ...about, up: false, why: "unhealthy" } : { ...about, up: true };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/**
 * Without each look that alone had no answer in time, where those right before and after it had one: the packet that
 * opened its connection was lost, and is sent again only after a second.
 */
const withoutLost = (samples: readonly Sample[]): readonly Sample[] =>
  samples.filter(
    ({ why }, at) => why !== NO_ANSWER || samples[at - 1]?.up !== true || samples[at + 1]?.up !== true,
  );

function outagesOf(node: string, samples: readonly Sample[]): readonly Outage[] {
  const outages: Outage[] = [];
  let since: Sample | undefined;
  for (const sample of samples) {
    if (!sample.up) since ??= sample;
    else if (since !== undefined) {
      outages.push({ node, fromMs: since.atMs, toMs: sample.atMs, why: since.why ?? "" });
      since = undefined;
    }
  }
  const last = samples.at(-1);
  if (since !== undefined && last !== undefined) {
    outages.push({ node, fromMs: since.atMs, toMs: last.atMs, why: since.why ?? "" });
  }
  return outages;
}

function codeOf(error: Error): string {
  if (error.name === "AbortError" || error.name === "TimeoutError") return NO_ANSWER;
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}
