import { plainWords } from "./plain-words.ts";
import { err, type Fault, ok, type Result } from "./result.ts";
import { fits, type Static, type TSchema, Value } from "./schema.ts";

/** Longest place that is told: its parts are names that whoever sent the value chose. */
const MAX_PLACE = 200;

/**
 * Turns something unknown into a typed value once, at the border. Unknown keys are refused where the schema
 * says so (`additionalProperties: false`). The error names the place in the value and what was expected.
 */
export function parse<S extends TSchema>(
  schema: S,
  value: unknown,
  what: string,
): Result<Static<S>, Fault<"malformed">> {
  if (fits(schema, value)) return ok(value as Static<S>);
  const first = Value.Errors(schema, value)[0];
  const place =
    first?.instancePath === undefined || first.instancePath === ""
      ? "the whole of it"
      : plainWords(first.instancePath, MAX_PLACE);
  return err({
    code: "malformed",
    message: `${what} is malformed at ${place}: ${first?.message ?? "it does not match its schema"}.`,
    context: { place },
  });
}

/** `parse` for JSON text; text that is not JSON is malformed too. */
export function parseJson<S extends TSchema>(
  schema: S,
  text: string,
  what: string,
): Result<Static<S>, Fault<"malformed">> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err({ code: "malformed", message: `${what} is not JSON.` });
  }
  return parse(schema, value, what);
}
