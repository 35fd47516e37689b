import type { Alert } from "../../../../protocol/alert.ts";

/** Ids of the nodes whose last update has failed: an alert about each is open until it is right again. */
export const failedNodes = (alerts: readonly Alert[]): ReadonlySet<string> =>
  new Set(
    alerts
      .filter(({ kind, resolvedAt }) => kind === "update_failed" && resolvedAt === null)
      .map(({ subject }) => subject),
  );
