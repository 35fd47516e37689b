/** What an error of `pg` says of the connection, and of what was under way on it. */

/** A connection is gone, or none could be had. Nothing that was not being committed by then ever will be. */
export class ConnectionLost extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error && cause.message !== "" ? cause.message : describe(cause), { cause });
    this.name = "ConnectionLost";
  }
}

/** The database is another one than it was: a standby was promoted, or it came out of a backup. */
export class FailedOver extends Error {
  constructor(before: string, now: string) {
    super(`the database has failed over (it was ${before} and is ${now}); this process writes nothing more`);
    this.name = "FailedOver";
  }
}

/** A host that answers and takes no writes: a standby. */
export class NotWritable extends Error {
  constructor() {
    super("it is a standby, and takes no writes");
    this.name = "NotWritable";
  }
}

/** SQLSTATE of an error that the server sent; null when it came from anywhere else, such as the socket. */
export const sqlStateOf = (cause: unknown): string | null =>
  cause instanceof Error && "severity" in cause && "code" in cause && typeof cause.code === "string"
    ? cause.code
    : null;

/** The server shuts down or starts, has crashed, was kept waiting within a transaction, or takes no writes. */
const PARTINGS = ["57P01", "57P02", "57P03", "57P04", "57P05", "25P03", "25P04", "25006", "53300"];

/** Whether the connection that an error came over is of no use any more. */
export function isParting(cause: unknown): boolean {
  const state = sqlStateOf(cause);
  return state === null || state.startsWith("08") || PARTINGS.includes(state);
}

/** A table has got a column since a statement was prepared that reads all of them. */
export const isStalePlan = (cause: unknown): boolean => sqlStateOf(cause) === "0A000";

/** Two transactions were in each other's way, or a table has got a column since a statement was prepared. */
const UNDONE = ["40001", "40P01", "0A000"];

/** Whether the same may be tried again: nothing of it is left, and that was no fault of its own. */
export const isWorthAnother = (cause: unknown): boolean =>
  cause instanceof ConnectionLost || UNDONE.includes(sqlStateOf(cause) ?? "");

/** Whether no other host could help: who we say that we are, or which database we ask for, is wrong. */
export const isRefusal = (cause: unknown): boolean =>
  cause instanceof FailedOver || /^(28|3D|3F|42)/.test(sqlStateOf(cause) ?? "");

/** Node's error for several addresses that all failed has no message of its own. */
const describe = (cause: unknown): string =>
  cause instanceof AggregateError
    ? cause.errors.map((each) => (each instanceof Error ? each.message : String(each))).join("; ")
    : String(cause);
