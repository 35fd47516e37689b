/** What `systemctl show` says of a unit, as far as the scenarios ask. */
export type UnitState = {
  readonly load: string;
  readonly active: string;
  readonly sub: string;
  /** How the last run ended: `success`, `exit-code`, `timeout`, `watchdog`, … */
  readonly result: string;
  /** Process id of the main process, as the node counts them; 0 when there is none. */
  readonly mainPid: number;
  /** Restarts by `Restart=` since the unit was last started by hand. */
  readonly restarts: number;
  readonly exitStatus: number;
  /** A new value for every start of the unit. */
  readonly invocation: string;
  readonly enabled: string;
};

export const UNIT_PROPERTIES =
  "LoadState,ActiveState,SubState,Result,MainPID,NRestarts,ExecMainStatus,InvocationID,UnitFileState";

/** Reads the `Key=value` lines of `systemctl show`. */
export function parseUnitState(text: string): UnitState {
  const lines = text.split("\n").map((line) => line.split("="));
  const values = new Map(lines.map(([key, ...rest]) => [key, rest.join("=")]));
  const word = (key: string) => values.get(key) ?? "";
  const number = (key: string) => Number(values.get(key) ?? 0);
  return {
    load: word("LoadState"),
    active: word("ActiveState"),
    sub: word("SubState"),
    result: word("Result"),
    mainPid: number("MainPID"),
    restarts: number("NRestarts"),
    exitStatus: number("ExecMainStatus"),
    invocation: word("InvocationID"),
    enabled: word("UnitFileState"),
  };
}
