import type { Line } from "./line.ts";

/** Something that can be measured, and the lines that come of it. */
export type Row = {
  /** Names of its lines; any of them, or how one begins, chooses it. */
  readonly names: readonly string[];
  /** About how long it takes, seconds. */
  readonly seconds: number;
  /** It mostly waits: such rows run at the same time, when the others are through. */
  readonly waits: boolean;
  measure(world: World): Promise<readonly Line[]>;
};

export type World = {
  /** A new directory of its own on the disk of the checkout, for what is measured; removed when the row is through. */
  readonly dir: string;
  /** Another one with a short path, as sockets need it. */
  readonly fleetDir: string;
  /** Tells a person what goes on. */
  readonly say: (text: string) => void;
  /** What to do when the row is through, however it ends: the last that was begun first. */
  readonly atEnd: (work: (failed: boolean) => Promise<void>) => void;
};
