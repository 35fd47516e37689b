import { EVENT_KINDS } from "./event.ts";
import type { Row } from "./row.ts";

const over = { ignored: "the process is about to end" };

export const exiting = Object.fromEntries(
  EVENT_KINDS.map((kind) => [kind, over]),
) as unknown as Row<"exiting">;
