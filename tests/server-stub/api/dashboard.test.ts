/** How the dashboard's files are served, and that nothing else is. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCoordinator, type TestCoordinator } from "../harness/coordinator.ts";

const PAGE = "<!doctype html><title>Baton</title>";
const SCRIPT = "export {};".repeat(200);
const HTML = { accept: "text/html,*/*;q=0.8" };

let dir: string;
let coordinator: TestCoordinator;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "baton-files-"));
  await mkdir(join(dir, "built/assets"), { recursive: true });
  await writeFile(join(dir, "secret.html"), "secret");
  await writeFile(join(dir, "built/index.html"), PAGE);
  await writeFile(join(dir, "built/assets/index-BqqGe3o2.js"), SCRIPT);
  await symlink(join(dir, "secret.html"), join(dir, "built/link.html"));
  coordinator = await startCoordinator("", { dashboardDirs: [join(dir, "nothing"), join(dir, "built")] });
});
afterAll(async () => {
  await coordinator.stop();
  await rm(dir, { recursive: true });
});

type Got = { status: number; headers: Record<string, string | string[] | undefined>; body: Buffer };

/** As it is on the wire: neither the path nor the body is made anything of. */
const get = (path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Got> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(coordinator.url);
    const asked = httpRequest({ hostname, port, path, method, headers }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(parts) }),
      );
    });
    asked.on("error", reject).end();
  });

describe("the page", () => {
  test.each(["/", "/nodes", "/nodes/n-000000000001?q=a", "/rollouts/r-1/", "/no/such/page"])(
    "is at %s for who asks for HTML, under a policy that lets nothing else in",
    async (path) => {
      const { status, headers, body } = await get(path, HTML);
      expect([status, body.toString()]).toEqual([200, PAGE]);
      expect(headers["content-type"]).toBe("text/html; charset=utf-8");
      expect(headers["cache-control"]).toBe("no-cache");
      const policy = String(headers["content-security-policy"]);
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|https?:|\*|data:/);
      expect(headers["x-content-type-options"]).toBe("nosniff");
      expect(headers["referrer-policy"]).toBe("same-origin");
    },
  );

  test("is not sent again to who has it", async () => {
    const { headers } = await get("/", HTML);
    const again = await get("/", { ...HTML, "if-none-match": String(headers.etag) });
    expect([again.status, again.body.length]).toEqual([304, 0]);
  });
});

describe("a file with a hash in its name", () => {
  const path = "/assets/index-BqqGe3o2.js";
  test("never changes, and comes as small as the browser takes it", async () => {
    const plain = await get(path);
    expect(plain.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
    expect(plain.headers["content-type"]).toBe("text/javascript; charset=utf-8");
    expect(plain.body.toString()).toBe(SCRIPT);
    const br = await get(path, { "accept-encoding": "gzip, deflate, br" });
    expect([br.headers["content-encoding"], brotliDecompressSync(br.body).toString()]).toEqual([
      "br",
      SCRIPT,
    ]);
    const gzip = await get(path, { "accept-encoding": "gzip, br;q=0" });
    expect([gzip.headers["content-encoding"], gunzipSync(gzip.body).toString()]).toEqual(["gzip", SCRIPT]);
    expect(br.headers.vary).toBe("accept-encoding");
  });

  test("answers HEAD with its length alone", async () => {
    const { status, headers, body } = await get(path, {}, "HEAD");
    expect([status, headers["content-length"], body.length]).toEqual([200, String(SCRIPT.length), 0]);
  });
});

describe("the API", () => {
  test.each([
    ["GET", "/v1/nothing", 404],
    ["GET", "/v1", 404],
    ["GET", "/v1/join", 405],
    ["GET", "/tuf/nothing", 404],
    ["GET", "/healthz/more", 404],
    ["GET", "/assets/none-BqqGe3o2.js", 404],
    ["POST", "/", 404],
    ["GET", "/v1/nodes", 401],
  ])("answers %s %s with a problem (%i), also a browser", async (method, path, status) => {
    const answer = await get(path, HTML, method);
    expect(answer.status).toBe(status);
    expect(answer.headers["content-type"]).toContain("application/problem+json");
  });

  test("is what a program meets at an address that is none", async () => {
    expect((await get("/nodes")).status).toBe(404);
  });
});

test.each([
  "/../secret.html",
  "/%2e%2e/secret.html",
  "/link.html",
  "/assets/..%2f..%2fsecret.html",
  "//secret.html",
])("nothing but the built files is at %s", async (path) => {
  const { status, body } = await get(path);
  expect(body.toString()).not.toBe("secret");
  expect([400, 404]).toContain(status);
});
