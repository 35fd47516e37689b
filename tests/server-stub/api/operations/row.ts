import type { Door, DoorCall } from "../../harness/door.ts";

/** The call that exercises an operation; what it needs is made before. */
export type Exercise = readonly [method: string, path: string, call?: DoorCall];

/** One operation of the document, by its id: prepares what it needs, and says what to call. */
export type Row = (door: Door) => Promise<Exercise> | Exercise;
export type Rows = Readonly<Record<string, Row>>;
