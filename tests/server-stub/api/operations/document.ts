import Schema from "typebox/schema";

export type Json = { readonly [key: string]: unknown };
type Content = Readonly<Record<string, { readonly schema: Json }>>;
export type Operation = {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  /** By status, or `default`. */
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
};

/** The operations of a document, in its order. */
export function operationsOf(document: Json): Operation[] {
  return Object.entries(document.paths as Record<string, Json>).flatMap(([path, item]) =>
    Object.entries(item).map(([method, value]) => {
      const { operationId, responses } = value as { operationId: string; responses: Operation["responses"] };
      return { id: operationId, method: method.toUpperCase(), path, responses };
    }),
  );
}

/** What of `value` is not as the schema of the document has it; empty when all is. */
export function misfits(document: Json, schema: Json, value: unknown): string[] {
  const { schemas } = document.components as { schemas: Json };
  const whole = JSON.parse(
    JSON.stringify({ ...schema, $defs: schemas }).replaceAll('"#/components/schemas/', '"#/$defs/'),
  ) as Json;
  const [, errors] = Schema.Errors(whole, value);
  return errors.map(({ instancePath, message }) => `${instancePath || "the whole"} ${message}`);
}
