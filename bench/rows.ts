import { leasesRow } from "./leases/row.ts";
import { prepareRow } from "./prepare/row.ts";
import type { Row } from "./row.ts";

/** In the order in which they are told. */
export const ROWS: readonly Row[] = [prepareRow, leasesRow];
