/**
 * The API as an OpenAPI 3.1 document, made of the schemas that validate. A schema with a title becomes a component
 * of that name, so that a generated client has one type for it.
 */
import swagger, { type FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import { UPLOAD_ROUTE } from "../../protocol/trust.ts";

export const openApi = (app: FastifyInstance, version: string): void => {
  const options: FastifyDynamicSwaggerOptions = {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Baton coordinator",
        version,
        license: { name: "MIT", identifier: "MIT" },
        description:
          "Leases, rollouts and releases of self-updating agents. Refusals are problems (RFC 9457) with stable codes.",
      },
      // Wherever this document was read.
      servers: [{ url: "/" }],
      components: {
        securitySchemes: {
          bearer: {
            type: "http",
            scheme: "bearer",
            description: "A node's credential or an operator's token",
          },
        },
      },
    },
    transformObject: (document) => ("openapiObject" in document ? named(document.openapiObject) : {}),
  };
  app.register(swagger, options);
};

type Json = { [key: string]: unknown };

/** The document with every titled schema moved to `components.schemas`. Two schemas of one title must be the same. */
export function named(document: Json): Json {
  const schemas: Json = {};
  const paths = Object.fromEntries(
    Object.entries(document.paths as Json).map(([path, item]) => [
      path.replace("{*}", "{path}"),
      lift(withRefusals(path === UPLOAD ? withUpload(item as Json) : pathNamed(item)), schemas),
    ]),
  );
  const components = { ...(document.components as Json), schemas: sorted(schemas) };
  return { ...document, paths, components };
}

const UPLOAD = UPLOAD_ROUTE.replace(/:(\w+)/g, "{$1}");

/** The body of an upload is a stream that no schema reads, so the document has to be told. */
const withUpload = (item: Json): Json => ({
  put: {
    ...(item.put as Json),
    requestBody: {
      required: true,
      content: { "application/octet-stream": { schema: { type: "string", format: "binary" } } },
    },
  },
});

/** Every operation may refuse; what is refused is a problem of the caller's more often than not. */
const withRefusals = (item: unknown): Json =>
  Object.fromEntries(
    Object.entries(item as Record<string, Json>).map(([method, operation]) => {
      const { default: problem, ...successes } = operation.responses as Json;
      return [method, { ...operation, responses: { ...successes, "4XX": problem, default: problem } }];
    }),
  );

/** A wildcard is called `path` in the document. */
const pathNamed = (item: unknown): unknown =>
  JSON.parse(JSON.stringify(item).replaceAll('"name":"*"', '"name":"path"'));

function lift(value: unknown, schemas: Json): unknown {
  if (Array.isArray(value)) return value.map((item) => lift(item, schemas));
  if (typeof value !== "object" || value === null) return value;
  const lifted = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, lift(inner, schemas)]));
  const { title } = lifted;
  if (typeof title !== "string" || !/^[A-Z][A-Za-z]+$/.test(title)) return lifted;
  const known = schemas[title];
  if (known !== undefined && JSON.stringify(known) !== JSON.stringify(lifted)) {
    throw new Error(`two schemas are called ${title}`);
  }
  schemas[title] = lifted;
  return { $ref: `#/components/schemas/${title}` };
}

const sorted = (schemas: Json): Json =>
  Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
