/** The one place that names the schema library, so that every schema is written and checked the same way. */
import { type TLiteral, type TSchema, type TUnion, Type } from "typebox";
import { Compile } from "typebox/compile";
import { Value } from "typebox/value";

export type { Static, TSchema } from "typebox";
export { Type, Value };

/** Checks of a schema after which it is worth compiling: that takes as long as some hundreds of them. */
const WORTH_COMPILING = 200;

const checked = new WeakMap<TSchema, { times: number; check: (value: unknown) => boolean }>();

/** Whether the value fits. A schema that is used again and again, such as a frame's, is compiled, and then forty times as fast. */
export function fits(schema: TSchema, value: unknown): boolean {
  let known = checked.get(schema);
  if (known === undefined) {
    known = { times: 0, check: (given) => Value.Check(schema, given) };
    checked.set(schema, known);
  }
  known.times += 1;
  if (known.times === WORTH_COMPILING) {
    const compiled = Compile(schema);
    known.check = (given) => compiled.Check(given);
  }
  return known.check(value);
}

/** A closed set of words. */
export const literals = <const T extends readonly string[]>(values: T) =>
  Type.Union(values.map((value) => Type.Literal(value))) as unknown as TUnion<{
    -readonly [K in keyof T]: TLiteral<T[K]>;
  }>;

/** A value or `null`. */
export const nullable = <const S extends Parameters<typeof Type.Union>[0][number]>(schema: S) =>
  Type.Union([schema, Type.Null()]);
