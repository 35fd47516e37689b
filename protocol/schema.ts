/** The one place that names the schema library, so that every schema is written and checked the same way. */

export type { Static, TSchema } from "typebox";
export { Type } from "typebox";
export { Value } from "typebox/value";
