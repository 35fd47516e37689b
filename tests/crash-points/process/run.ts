/** Nodes that are processes, killed for real and started again. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RigCoordinator } from "../../agent/rig-coordinator.ts";
import { type Fixture, packFixture } from "../fixture.ts";
import { temporaryDirectory } from "../place.ts";
import type { Story } from "../story.ts";
import { writeTree } from "../tree.ts";
import type { Done, Orders } from "./orders.ts";

const MAIN = join(import.meta.dirname, "main.ts");
const CACHE = join(import.meta.dirname, "../../../build/compile-cache");

/** `done`: who did what, in order. */
export type Ended = { readonly wrong: string | null; readonly done: readonly Done[] };

export type Killed = { readonly isKilled: boolean; readonly where: string; readonly wrong: string | null };

/** A node at the beginning of a story, in a directory on a real disk. */
export class NodeProcess implements Disposable {
  readonly #place = temporaryDirectory("kill", tmpdir());
  readonly #story: Story;

  constructor(fixture: Fixture, story: Story) {
    this.#story = story;
    const tree = new Map(fixture.base);
    story.set?.(tree, fixture);
    const coordinator = new RigCoordinator();
    story.order(coordinator, fixture);
    mkdirSync(this.dir);
    writeTree(tree, this.dir);
    writeFileSync(join(this.path, "fixture"), packFixture(fixture));
    this.#write("state.json", { coordinator, bootId: "boot-1", uptime: 0, stops: 0 });
  }

  get path(): string {
    return this.#place.path;
  }

  get dir(): string {
    return join(this.path, "node");
  }

  /** Lives until it rests, or until it is killed: then null. `around` is a command that runs it. */
  async live(orders: Partial<Orders> = {}, around: readonly string[] = []): Promise<Ended | null> {
    const { name } = this.#story;
    const all: Orders = { story: name, when: "never", nth: 0, update: false, spoiled: null, ...orders };
    this.#write("orders.json", all);
    rmSync(join(this.path, "done"), { force: true });
    const ordered = [process.execPath, MAIN, this.path] as const;
    const [command, ...args] =
      around[0] === undefined ? ordered : [around[0], ...around.slice(1), ...ordered];
    const env = { ...process.env, NODE_COMPILE_CACHE: CACHE };
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"], env });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    const [code, signal] = (await once(child, "close")) as [number | null, string | null];
    if (signal === "SIGKILL") return null;
    if (code !== 0) return { wrong: `the process ended with ${signal ?? code}: ${said}`, done: [] };
    return JSON.parse(readFileSync(join(this.path, "done"), "utf8")) as Ended;
  }

  /** Where it was killed. */
  get killed(): string {
    const path = join(this.path, "killed");
    return existsSync(path) ? readFileSync(path, "utf8") : "nowhere";
  }

  [Symbol.dispose](): void {
    this.#place[Symbol.dispose]();
  }

  #write(name: string, what: object): void {
    writeFileSync(join(this.path, name), JSON.stringify(what));
  }
}

/** Kills it there, starts it again, and lets it be updated once more. */
export async function killAt(
  fixture: Fixture,
  story: Story,
  when: "before" | "after",
  nth: number,
): Promise<Killed> {
  using node = new NodeProcess(fixture, story);
  const first = await node.live({ when, nth });
  if (first !== null) return { isKilled: false, where: "nowhere", wrong: first.wrong };
  const { killed } = node;
  const second = await node.live({ update: true });
  return { isKilled: true, where: killed, wrong: second === null ? "it was killed twice" : second.wrong };
}

/** What to kill it at around an effect of a life: the number of it among those that began, or that happened. */
export const nthOf = (done: readonly Done[], at: number, when: "before" | "after"): number =>
  when === "before" ? at + 1 : done.slice(0, at + 1).filter(({ happened }) => happened).length;
