/** The one place that names the schema library, so that every schema is written and checked the same way. */
import { type TLiteral, type TUnion, Type } from "typebox";

export type { Static, TSchema } from "typebox";
export { Value } from "typebox/value";
export { Type };

/** A closed set of words. */
export const literals = <const T extends readonly string[]>(values: T) =>
  Type.Union(values.map((value) => Type.Literal(value))) as unknown as TUnion<{
    -readonly [K in keyof T]: TLiteral<T[K]>;
  }>;

/** A value or `null`. */
export const nullable = <const S extends Parameters<typeof Type.Union>[0][number]>(schema: S) =>
  Type.Union([schema, Type.Null()]);
