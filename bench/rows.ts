import { dashboardRow } from "./dashboard/row.ts";
import { fleetRow } from "./fleet/row.ts";
import { grantsRow } from "./grants/row.ts";
import { idleRow } from "./idle/row.ts";
import { leasesRow } from "./leases/row.ts";
import { prepareRow } from "./prepare/row.ts";
import { restartRow } from "./restart/row.ts";
import { rollingRow } from "./rolling/row.ts";
import type { Row } from "./row.ts";
import { sessionsRow } from "./sessions/row.ts";

/** In the order in which they are told. */
export const ROWS: readonly Row[] = [
  prepareRow,
  restartRow,
  idleRow,
  rollingRow,
  leasesRow,
  grantsRow,
  sessionsRow,
  fleetRow,
  dashboardRow,
];
