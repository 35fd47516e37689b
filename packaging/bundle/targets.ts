/** What is shipped: each program, built from its main file into a directory of its own under `build/`. */
export type Target = {
  readonly name: "agent" | "coordinator" | "baton";
  /** The file that is run, in the sources. */
  readonly main: string;
  /** Folders whose change makes a build stale. */
  readonly rooms: readonly string[];
};

export const TARGETS: readonly Target[] = [
  { name: "agent", main: "agent/main.ts", rooms: ["agent", "protocol"] },
  { name: "coordinator", main: "server-stub/main.ts", rooms: ["server-stub", "protocol"] },
  { name: "baton", main: "cli/main.ts", rooms: ["cli", "protocol"] },
];

/** Folders whose change makes the dashboard stale. */
export const DASHBOARD_ROOMS: readonly string[] = ["server-stub/web", "protocol"];
