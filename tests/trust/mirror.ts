/** A real HTTP server over a simulator, and a real client's way to it: what a node and its coordinator are on the wire. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Agent } from "undici";
import { type FetchMetadata, fetchWith } from "../../agent/effects/trust/fetch.ts";
import { TUF_METADATA_PATH, TUF_TARGETS_PATH, targetUrlPath } from "../../protocol/trust.ts";
import { METADATA_URL, type Simulator } from "./simulator.ts";

export class Mirror {
  /** Instead of what the simulator has, by the name of the file. */
  readonly answers = new Map<string, (response: ServerResponse) => void>();
  /** Names of files in the order they were asked for. */
  readonly asked: string[] = [];
  readonly dispatcher = new Agent();
  readonly #sim: Simulator;
  readonly #server = createServer((request, response) => {
    const [, , kind, ...rest] = (request.url ?? "").split("/");
    const name = rest.join("/");
    this.asked.push(name);
    const answer = this.answers.get(name) ?? this.answers.get("*");
    if (answer !== undefined) return answer(response);
    const bytes = kind === "metadata" ? this.#sim.files.get(name) : this.#targets().get(name);
    if (bytes === undefined) return response.writeHead(404).end();
    return response.end(bytes);
  });

  static async serve(sim: Simulator): Promise<Mirror> {
    const mirror = new Mirror(sim);
    await new Promise<void>((done) => mirror.#server.listen(0, "127.0.0.1", done));
    return mirror;
  }

  private constructor(sim: Simulator) {
    this.#sim = sim;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get pinnedRoot(): Buffer {
    return this.#sim.pinnedRoot;
  }

  /** The agent's own, over this server. */
  readonly fetch: FetchMetadata = (url, options) =>
    fetchWith(this.dispatcher)(url.replace(METADATA_URL, `${this.url}${TUF_METADATA_PATH}`), options);

  targetUrl(name: string, sha256: string): string {
    return `${this.url}${TUF_TARGETS_PATH}/${targetUrlPath(name, sha256)}`;
  }

  /** Stops listening; whoever asks then finds nobody. */
  async leave(): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise((done) => this.#server.close(done));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispatcher.destroy();
    await this.leave();
  }

  #targets(): ReadonlyMap<string, Buffer> {
    return new Map(
      Object.entries(this.#sim.targets.targets).flatMap(([name, { hashes }]) => {
        const bytes = this.#sim.bundles.get(name);
        return bytes === undefined ? [] : [[targetUrlPath(name, hashes.sha256), bytes] as const];
      }),
    );
  }
}

/** Answers with bytes that have no end. */
export function endless(response: ServerResponse): void {
  const more = () => {
    while (!response.destroyed && response.write("x".repeat(65_536)));
    response.once("drain", more);
  };
  more();
}
