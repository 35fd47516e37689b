/** Values of a JSON schema: those that fit it, and those that very nearly do. */
import fc from "fast-check";
import { nastyText, nastyValue } from "./nasty.ts";

export type JsonSchema = { readonly [key: string]: unknown };

export type SchemaOptions = {
  /** What `#/components/schemas/Name` stands for. */
  readonly schemas?: Readonly<Record<string, JsonSchema>>;
  /** Instead of what the schema says, half of the time, for members of these names: ids of what there is. */
  readonly named?: Readonly<Record<string, fc.Arbitrary<unknown>>>;
};

/** Few of anything: what is wrong with lists shows with two. */
const MOST = 3;

/** Values that fit the schema. Throws for a keyword that it does not know how to meet. */
export function fitting(schema: JsonSchema, options: SchemaOptions = {}): fc.Arbitrary<unknown> {
  const { $ref, anyOf, oneOf, const: only, enum: words, type } = schema;
  if (typeof $ref === "string") {
    const name = $ref.split("/").at(-1) ?? "";
    const target = options.schemas?.[name];
    if (target === undefined) throw new Error(`${$ref} is not there`);
    return fitting(target, options);
  }
  if ("const" in schema) return fc.constant(only);
  if (Array.isArray(words)) return fc.constantFrom(...(words as unknown[]));
  const branches = (anyOf ?? oneOf) as readonly JsonSchema[] | undefined;
  if (branches !== undefined) return fc.oneof(...branches.map((each) => fitting(each, options)));
  switch (type) {
    case "string":
      return textOf(schema);
    case "integer":
      return fc.integer(bounds(schema, 1));
    case "number":
      return fc.double({ ...bounds(schema, Number.MIN_VALUE), noNaN: true });
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array": {
      const { minItems = 0, maxItems = MOST } = schema as { minItems?: number; maxItems?: number };
      const maxLength = Math.max(minItems, Math.min(maxItems, MOST));
      return fc.array(fitting(schema.items as JsonSchema, options), { minLength: minItems, maxLength });
    }
    case "object":
      return objectOf(schema, options);
    case undefined:
      return fc.jsonValue({ maxDepth: 1 });
    default:
      throw new Error(`what is of type ${String(type)}?`);
  }
}

/** Values that would fit but for one or two things. */
export const nearly = (schema: JsonSchema, options: SchemaOptions = {}): fc.Arbitrary<unknown> =>
  fc
    .tuple(fitting(schema, options), fc.array(CHANGE, { minLength: 1, maxLength: 2 }))
    .map(([value, changes]) => changes.reduce<unknown>(changed, value));

function textOf(schema: JsonSchema): fc.Arbitrary<string> {
  const { pattern, format, minLength = 0, maxLength = 40 } = schema as Partial<Record<string, never>>;
  if (pattern !== undefined) {
    const matching = fc.stringMatching(new RegExp(pattern));
    return maxLength === 40 ? matching : matching.filter((text) => text.length <= maxLength);
  }
  if (format === "uuid") return fc.uuid();
  return fc.string({ minLength, maxLength: Math.max(minLength, Math.min(maxLength, 40)) });
}

function bounds(schema: JsonSchema, step: number): { min: number; max: number } {
  const { minimum, maximum, exclusiveMinimum } = schema as Partial<Record<string, number>>;
  const least = exclusiveMinimum === undefined ? minimum : exclusiveMinimum + step;
  const min = least ?? -1000;
  return { min, max: maximum ?? Math.max(min, 1000) };
}

function objectOf(schema: JsonSchema, options: SchemaOptions): fc.Arbitrary<unknown> {
  const properties = (schema.properties ?? {}) as Readonly<Record<string, JsonSchema>>;
  const required = (schema.required ?? []) as readonly string[];
  const patterns = Object.entries((schema.patternProperties ?? {}) as Readonly<Record<string, JsonSchema>>);
  const members = Object.entries(properties).map(([name, inner]) => {
    const known = Object.hasOwn(options.named ?? {}, name) ? options.named?.[name] : undefined;
    const own = fitting(inner, options);
    return [name, known === undefined ? own : fc.oneof(known, own)] as const;
  });
  const record = fc.record(Object.fromEntries(members), {
    requiredKeys: [...required],
    noNullPrototype: true,
  });
  const [first] = patterns;
  if (first === undefined) return record;
  const [pattern, inner] = first;
  const others = fc.dictionary(textOf({ pattern }), fitting(inner, options), {
    maxKeys: MOST,
    noNullPrototype: true,
  });
  return fc.tuple(others, record).map(([more, own]) => ({ ...more, ...own }));
}

/** One thing done to one place of a value. */
type Change = { readonly at: number; readonly what: (old: unknown) => unknown };

const GONE = Symbol("gone");

const CHANGE: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(10_000),
  what: fc.oneof(
    { weight: 5, arbitrary: nastyValue.map((value) => () => value) },
    { weight: 2, arbitrary: fc.constant(() => GONE) },
    { weight: 1, arbitrary: fc.constant((old: unknown) => [old]) },
    { weight: 1, arbitrary: fc.constant((old: unknown) => JSON.stringify(old)) },
    {
      weight: 2,
      arbitrary: fc.tuple(nastyText, nastyValue).map(([key, value]) => (old: unknown) => {
        if (Array.isArray(old)) return [...(old as unknown[]), value];
        if (typeof old === "object" && old !== null)
          return Object.defineProperty({ ...old }, key, { value, enumerable: true });
        return typeof old === "string" ? old + key : value;
      }),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(2, 400).map((times) => (old: unknown) => {
        if (Array.isArray(old)) return Array.from({ length: times }, () => old as unknown[]).flat();
        return typeof old === "string" ? old.repeat(times) : old;
      }),
    },
  ),
});

/** The value with the change made at the `at`th of its places, counted round and round. */
function changed(value: unknown, { at, what }: Change): unknown {
  let left = at % countPlaces(value);
  const visit = (here: unknown): unknown => {
    if (left === 0) {
      left -= 1;
      return what(here);
    }
    left -= 1;
    if (Array.isArray(here)) return here.map(visit).filter((each) => each !== GONE);
    if (typeof here !== "object" || here === null) return here;
    return Object.fromEntries(
      Object.entries(here)
        .map(([key, inner]) => [key, visit(inner)] as const)
        .filter(([, inner]) => inner !== GONE),
    );
  };
  const result = visit(value);
  return result === GONE ? null : result;
}

function countPlaces(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce<number>((sum, inner) => sum + countPlaces(inner), 1);
}
