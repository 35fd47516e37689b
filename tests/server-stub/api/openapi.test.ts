import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { beforeAll, describe, expect, test } from "vitest";
import { openApiDocument } from "../../../server-stub/api/document.ts";
import { named } from "../../../server-stub/api/openapi.ts";
import { isOpen, PERMISSIONS, type RouteKey } from "../../../server-stub/api/permissions.ts";

type Operation = {
  operationId: string;
  summary: string;
  security: object[];
  parameters?: { name: string; in: string }[];
  requestBody?: unknown;
  responses: Record<string, unknown>;
};
type Document = {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
};

describe("the OpenAPI document", () => {
  let document: Document;
  let operations: [path: string, method: string, operation: Operation][];
  beforeAll(async () => {
    document = (await openApiDocument("1.2.3")) as Document;
    operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]): [string, string, Operation] => [
        path,
        method,
        operation,
      ]),
    );
  });

  test("is of version 3.1 and describes every route of the permission table, and no other", () => {
    expect(document.openapi).toBe("3.1.0");
    const described = operations.map(([path, method]) => `${method.toUpperCase()} ${path}`).sort();
    const served = Object.keys(PERMISSIONS)
      .map((route) => route.replace("/*", "/{path}").replace(/:(\w+)/g, "{$1}"))
      .sort();
    expect(described).toEqual(served);
  });

  test("names every operation once, says what it does, and how it is refused", () => {
    const ids = operations.map(([, , { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const bare = operations.filter(
      ([, , { summary, responses }]) => summary === "" || !("default" in responses),
    );
    expect(bare).toEqual([]);
  });

  test("declares every part of a path, and asks for a credential where the table does", () => {
    const wrong = operations.filter(([path, method, operation]) => {
      const parts = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => String(name));
      const declared = (operation.parameters ?? []).filter((each) => each.in === "path");
      const route = `${method.toUpperCase()} ${path.replace("/{path}", "/*").replace(/\{(\w+)\}/g, ":$1")}`;
      const asksRightly = (operation.security.length === 0) === isOpen(route as RouteKey);
      return (
        declared.length !== parts.length || declared.some(({ name }) => !parts.includes(name)) || !asksRightly
      );
    });
    expect(wrong).toEqual([]);
  });

  const lint = async (value: object): Promise<string[]> => {
    const config = await createConfig({ extends: ["recommended-strict"] });
    const source = JSON.stringify(value);
    const problems = await lintFromString({ source, absoluteRef: "/openapi.json", config });
    return problems.map(
      ({ ruleId, message, location }) => `${ruleId}: ${message} (${location[0]?.pointer ?? ""})`,
    );
  };

  test("passes a linter with every rule that it recommends", async () => {
    expect(await lint(document)).toEqual([]);
  });

  test("would be told off by it", async () => {
    const [path = ""] = Object.keys(document.paths);
    const { get, ...others } = document.paths[path] ?? {};
    const paths = { ...document.paths, [path]: { ...others, get: { ...get, operationId: "get x" } } };
    expect((await lint({ ...document, paths })).join()).toContain("operation-operationId-url-safe");
  });

  test("is printed by npm run -s openapi", async () => {
    const main = fileURLToPath(new URL("../../../server-stub/openapi-main.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [main], { maxBuffer: 16_000_000 });
    const printed = JSON.parse(stdout) as Document;
    expect(printed.openapi).toBe("3.1.0");
    expect(Object.keys(printed.paths)).toEqual(Object.keys(document.paths));
  });

  test("has every schema that it refers to", () => {
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
      (m) => m[1],
    );
    expect(references.length).toBeGreaterThan(50);
    for (const name of new Set(references)) expect(Object.keys(document.components.schemas)).toContain(name);
  });

  test("edits take If-Match and answer an ETag, and every POST of an operator takes an Idempotency-Key", () => {
    const takes = ({ parameters = [] }: Operation, header: string): boolean =>
      parameters.some(({ name, in: where }) => where === "header" && name === header);
    const edits = operations.filter(([, method, { operationId }]) => {
      return ["patch", "put", "delete"].includes(method) && operationId !== "uploadBundle";
    });
    expect(edits.length).toBeGreaterThan(5);
    const untagged = edits.filter(
      ([path, , edit]) => !takes(edit, "if-match") || !isTagged(document.paths[path]?.get),
    );
    expect(untagged.map(([path, method]) => `${method} ${path}`)).toEqual([]);
    const posts = operations.filter(([, method]) => method === "post");
    const without = posts.filter(([, , post]) => !takes(post, "idempotency-key"));
    // Strangers, other protocols, and what agents say by numbers of its own.
    expect(without.map(([, , { operationId }]) => operationId).sort()).toEqual([
      "appendJobLog",
      "cancelLease",
      "commitLease",
      "fleetLockPreReboot",
      "fleetLockSteadyState",
      "join",
      "renewLease",
      "reserveLease",
      "sendFrames",
      "signIn",
      "signOut",
    ]);
  });

  test("says that a bundle is uploaded as bytes", () => {
    expect(document.paths["/v1/releases/uploads/{sha256}"]?.put?.requestBody).toMatchObject({
      content: { "application/octet-stream": {} },
    });
  });
});

const isTagged = (operation: Operation | undefined): boolean =>
  JSON.stringify(operation?.responses[200] ?? {}).includes('"etag"');

test("two different schemas of one name are noticed", () => {
  const path = (schema: object) => ({ get: { responses: { 200: { content: { x: { schema } } } } } });
  const twice = { a: path({ title: "Thing", type: "string" }), b: path({ title: "Thing", type: "integer" }) };
  expect(() => named({ paths: twice, components: {} })).toThrow("two schemas are called Thing");
});
