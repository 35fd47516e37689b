/** What happens to a node: what is ordered, how its builds behave, and how it must all end, wherever it was cut off. */
import type { RigCoordinator } from "../agent/rig-coordinator.ts";
import type { Fixture } from "./fixture.ts";
import type { Node } from "./node.ts";
import type { Entry } from "./tree.ts";

/** How a build behaves when it runs. */
export type Behaviour = {
  readonly healthy?: false;
  readonly connects?: false;
  /** At its start: its process, or the whole machine with it. */
  readonly crashes?: "process" | "machine";
  /** How often an operator stops the unit while it is on probation. */
  readonly stopped?: number;
};

export type Side = "z" | "a" | "b" | "c";

/** How far a story is: what the coordinator knows, and what `dist` names. */
export type Moment = { readonly coordinator: RigCoordinator; readonly dist: Side };

export type Story = {
  readonly name: string;
  /** Changes what the story begins with. */
  readonly set?: (tree: Map<string, Entry>, fixture: Fixture) => void;
  readonly order: (coordinator: RigCoordinator, fixture: Fixture) => void;
  readonly builds?: Readonly<Partial<Record<Side, Behaviour>>>;
  readonly endsOn: Side;
  /** What `dist.bak` names then. */
  readonly backup: Side;
  /** Last words that may be said on the way, and by which the lease returns. */
  readonly words: readonly string[];
  readonly quarantined: boolean;
  /** It may have gone back from Z, when a disk failed on the way to it. */
  readonly mayCondemnZ?: boolean;
  /** Where it does not go as another story does, in which the same crashes are tried. Everywhere, when it is not said. */
  readonly isOwn?: (moment: Moment) => boolean;
  /** The new build lies there from the beginning, and is not what its `.complete` says. */
  readonly damaged?: true;
};

const job = "j-000000000001";

const want =
  (kind: "update" | "rollback") =>
  (coordinator: RigCoordinator, { b }: Fixture): void => {
    const build = kind === "update" ? b.build : null;
    const release = build?.version ?? null;
    coordinator.desired = { jobId: job, kind, cause: "operator", release, build, retry: false, jitterMs: 0 };
  };

const afterFlip = ({ dist }: Moment): boolean => dist !== "a";

/** Cut off before the flip, an update is begun again. */
const KEPT = { words: ["confirmed", "not-acted", "back"], quarantined: false } as const;
const TAKEN_BACK = { words: ["rolled-back", "not-acted", "back"], quarantined: true } as const;

export const STORIES: readonly Story[] = [
  { name: "a good update", order: want("update"), endsOn: "b", backup: "a", ...KEPT },
  {
    name: "a new build that is never healthy",
    isOwn: afterFlip,
    set: placeB,
    order: want("update"),
    builds: { b: { healthy: false } },
    endsOn: "a",
    backup: "z",
    ...TAKEN_BACK,
  },
  {
    name: "a new build that crashes at every start",
    isOwn: afterFlip,
    set: placeB,
    order: want("update"),
    builds: { b: { crashes: "process" } },
    endsOn: "a",
    backup: "z",
    ...TAKEN_BACK,
  },
  {
    name: "a new build that takes the machine down at every start",
    isOwn: afterFlip,
    set: placeB,
    order: want("update"),
    builds: { b: { crashes: "machine" } },
    endsOn: "a",
    backup: "z",
    ...TAKEN_BACK,
  },
  {
    name: "a new build that cannot connect, where the old one can",
    isOwn: afterFlip,
    set: placeB,
    order: want("update"),
    builds: { b: { connects: false } },
    endsOn: "a",
    backup: "z",
    ...TAKEN_BACK,
  },
  {
    name: "an operator who stops the unit in probation",
    isOwn: afterFlip,
    set: placeB,
    order: want("update"),
    builds: { b: { stopped: 2 } },
    endsOn: "b",
    backup: "a",
    ...KEPT,
  },
  {
    name: "a rollback on purpose",
    isOwn: ({ coordinator: { lease } }) => lease?.phase === "in-flight",
    order: want("rollback"),
    endsOn: "z",
    backup: "a",
    ...KEPT,
  },
  {
    name: "a commit that was granted and whose answer was lost",
    isOwn: ({ coordinator: { lease, words } }) => lease?.phase === "in-flight" && words.length === 0,
    set: placeB,
    order: (coordinator, fixture) => {
      want("update")(coordinator, fixture);
      coordinator.loseCommits = 1;
    },
    endsOn: "b",
    backup: "a",
    ...KEPT,
  },
  {
    name: "an update over what earlier crashes left",
    isOwn: ({ coordinator: { lease } }) => lease === null,
    set: (tree, fixture) => {
      placeB(tree, fixture);
      litter(tree, fixture);
    },
    order: want("update"),
    damaged: true,
    endsOn: "b",
    backup: "a",
    ...KEPT,
  },
];

/** Whatever a node has come through, the next update must succeed as if nothing had been. */
export const andThenAnUpdate = ({ story, running, disk, fixture: { b } }: Node): Story => ({
  name: `${story.name}, and then an update`,
  order: (coordinator, { c }) => {
    const { build } = c;
    coordinator.words.length = 0;
    coordinator.desired = {
      jobId: "j-000000000002",
      kind: "update",
      cause: "operator",
      release: build.version,
      build,
      retry: true,
      jitterMs: 0,
    };
  },
  endsOn: "c",
  backup: running,
  mayCondemnZ: story.mayCondemnZ === true,
  words: ["confirmed"],
  quarantined: disk.tree.has(`state/quarantine/${b.build.buildHash}`),
});

export function storyOf(name: string): Story {
  const story = STORIES.find((each) => each.name === name);
  if (story === undefined) throw new Error(`there is no story of ${name}`);
  return story;
}

/** The new build lies prepared: what preparing leaves at each of its points is the first story's to try. */
function placeB(tree: Map<string, Entry>, { base, a, b }: Fixture): void {
  for (const [path, entry] of base) {
    if (path !== a.link && !path.startsWith(`${a.link}/`)) continue;
    tree.set(path.replace(a.link, b.link), entry);
  }
  const { buildHash, version } = b.build;
  const put = (name: string, text: string) =>
    tree.set(`${b.link}/${name}`, { kind: "file", data: Buffer.from(text), mode: 0o644 });
  put("entry.mjs", `console.log(${JSON.stringify(version)});\n`);
  put("share/words/list", `${version}\n`.repeat(40));
  put("version.json", `${JSON.stringify(b.versionJson)}\n`);
  put(".complete", `entry.mjs\n${buildHash}\n`);
}

/** Everything that a process may leave when it dies at the wrong moment, and a build of the same name that is damaged. */
function litter(tree: Map<string, Entry>, { b }: Fixture): void {
  const file = (path: string, text = "half of a f") =>
    tree.set(path, { kind: "file", data: Buffer.from(text), mode: 0o644 });
  const directory = (path: string) => tree.set(path, { kind: "directory", mode: 0o755 });
  file(`${b.link}/entry.mjs`, "something else\n");
  directory("releases/.prepare-000000000000");
  file("releases/.prepare-000000000000/entry.mjs");
  for (const trial of ["state/.trial-new", "state/.trial-gone"]) {
    directory(trial);
    file(`${trial}/format`, "1\n");
    directory(`${trial}/tries`);
    file(`${trial}/tries/1`, "");
  }
  file("state/.kit.tar");
  file(`download/${"1".repeat(64)}.part`);
  file(`download/${"1".repeat(64)}.etag`, '"x"');
  file("state/verdict", "{");
}
