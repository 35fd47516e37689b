/** Calls of an operation of the OpenAPI document: right, nearly right and absurd, by everybody. */
import fc from "fast-check";
import { AUDIENCES, type Audience } from "../../../server-stub/api/permissions.ts";
import { fitting, type JsonSchema, nearly, type SchemaOptions } from "../generate/from-schema.ts";
import { damaged, nastyText, nastyValue, toText } from "../generate/nasty.ts";

/** An operation as the document has it. */
export type Operation = {
  readonly method: string;
  readonly path: string;
  readonly operationId: string;
  readonly security?: readonly object[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: "path" | "query" | "header";
    readonly schema: JsonSchema;
  }[];
  /** By status, or `default`. */
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> };
};

export type Call = {
  readonly as: Audience;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** As it goes over the wire; undefined for none. */
  readonly body: string | undefined;
};

export function operationsIn(document: object): Operation[] {
  const { paths } = document as { paths: Record<string, Record<string, Omit<Operation, "method" | "path">>> };
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ ...operation, path, method: method.toUpperCase() })),
  );
}

/** Every header that anybody sends, absurd; Node itself lets none through that would break the request apart. */
const oddHeaders = fc.dictionary(
  fc.constantFrom(
    "fleet-lock-protocol",
    "if-match",
    "if-none-match",
    "idempotency-key",
    "range",
    "if-range",
    "accept",
    "accept-encoding",
    "x-request-id",
    "x-forwarded-for",
    "last-event-id",
    "origin",
    "cookie",
    "traceparent",
    "x-http-method-override",
  ),
  fc
    .oneof(
      fc.constantFrom("true", "*", '""', 'W/"x"', "bytes=0-", "bytes=5-2", "*/*;q=x", "0-0", "a, b"),
      nastyText,
    )
    .map(inLatin),
  { maxKeys: 3, noNullPrototype: true },
);

/** As a header can carry it. */
function inLatin(text: string): string {
  return text
    .replace(/[^\u0020-\u007e]/g, "?")
    .slice(0, 400)
    .trim();
}

const CONTENT_TYPES = [
  "application/json",
  "application/json",
  "application/json; charset=latin1",
  "text/plain",
  "application/octet-stream",
  "a/b",
  "multipart/form-data",
];

/** Calls of this operation. `named` are arbitraries of what there is, by the name of a parameter or member. */
export function callsOf(operation: Operation, options: SchemaOptions): fc.Arbitrary<Call> {
  const { path, parameters = [], requestBody } = operation;
  const inPath = parameters.filter((each) => each.in === "path");
  const inQuery = parameters.filter((each) => each.in === "query");
  const inHeaders = parameters.filter((each) => each.in === "header");
  const known = (name: string, schema: JsonSchema) => {
    const there = Object.hasOwn(options.named ?? {}, name) ? options.named?.[name] : undefined;
    const own = fitting(schema, options);
    return fc.oneof(
      { weight: 6, arbitrary: there ?? own },
      { weight: 1, arbitrary: own },
      { weight: 2, arbitrary: nearly(schema, options) },
    );
  };
  const pathParts = fc.tuple(...inPath.map(({ name, schema }) => known(name, schema)));
  const queryParts = fc.tuple(
    ...inQuery.map(({ name, schema }) => fc.option(fc.tuple(fc.constant(name), known(name, schema)))),
  );
  const headerParts = fc.tuple(
    ...inHeaders.map(({ name, schema }) => fc.option(fc.tuple(fc.constant(name), known(name, schema)))),
  );
  const schema = requestBody?.content["application/json"]?.schema;
  return fc
    .record({
      as: fc.constantFrom(...AUDIENCES),
      pathParts,
      queryParts,
      headerParts,
      odd: fc.option(oddHeaders, { freq: 4 }),
      extra: fc.option(fc.tuple(nastyText, nastyText), { freq: 8 }),
      body: bodies(schema, options),
      type: fc.constantFrom(...CONTENT_TYPES),
    })
    .map(({ as, pathParts, queryParts, headerParts, odd, extra, body, type }) => {
      const address = inPath.reduce(
        (text, { name }, at) => text.replace(`{${name}}`, encoded(pathParts[at])),
        path,
      );
      const query = [...queryParts, extra].flatMap((each) =>
        each === null ? [] : [`${encoded(each[0])}=${encoded(each[1])}`],
      );
      const headers = headerParts.flatMap((each) =>
        each === null ? [] : [[each[0], inLatin(wordOf(each[1]))]],
      );
      return {
        as,
        path: query.length === 0 ? address : `${address}?${query.join("&")}`,
        headers: {
          ...odd,
          ...(Object.fromEntries(headers) as Record<string, string>),
          ...(body === undefined ? {} : { "content-type": schema === undefined ? type : "application/json" }),
        },
        body,
      };
    });
}

function bodies(schema: JsonSchema | undefined, options: SchemaOptions): fc.Arbitrary<string | undefined> {
  const absurd = fc.oneof(nastyValue.map(toText), nastyText, fc.constant(""));
  if (schema === undefined) return fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, absurd);
  const near = nearly(schema, options).map(toText);
  return fc.oneof(
    { weight: 4, arbitrary: fitting(schema, options).map(toText) },
    { weight: 4, arbitrary: near },
    { weight: 2, arbitrary: damaged(near) },
    { weight: 1, arbitrary: absurd },
    { weight: 1, arbitrary: fc.constant(undefined) },
  );
}

const wordOf = (value: unknown): string => (typeof value === "string" ? value : toText(value));

/** Percent-encoded, halves of pairs apart; now and then what is not, since nobody has to. */
const encoded = (value: unknown): string => encodeURIComponent(wordOf(value).toWellFormed()).slice(0, 2_000);
