import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCoordinator, type TestCoordinator } from "../harness/coordinator.ts";

const BYTES = Buffer.from("0123456789".repeat(20_000));
const HASH = createHash("sha256").update(BYTES).digest("hex");
const TARGET = `/tuf/targets/1.0.0/${HASH}.linux-x64-0123456789ab.tar.zst`;

describe("/tuf/", () => {
  let coordinator: TestCoordinator;
  let outside: string;
  beforeAll(async () => {
    coordinator = await startCoordinator();
    const { repositoryDir, stateDir } = coordinator.config;
    const targets = join(repositoryDir, "targets");
    await mkdir(join(targets, "1.0.0"));
    await writeFile(join(targets, "1.0.0", `${HASH}.linux-x64-0123456789ab.tar.zst`), BYTES);
    await writeFile(join(targets, "1.0.0", "notes.txt"), "not a target");
    await writeFile(join(repositoryDir, "metadata", "1.root.json"), '{"signed":1}');
    await writeFile(join(repositoryDir, "metadata", "timestamp.json"), "{}");
    await writeFile(join(repositoryDir, "metadata", "2.root.json"), "");
    outside = await mkdtemp(join(tmpdir(), "baton-outside-"));
    await writeFile(join(outside, `${HASH}.secret`), "secret");
    await symlink(outside, join(targets, "linked"));
    await symlink(join(stateDir, "admin.token"), join(targets, `${HASH}.link`));
    await mkdir(join(targets, `${HASH}.directory`));
  });
  afterAll(async () => {
    await coordinator.stop();
    await rm(outside, { recursive: true });
  });

  const get = async (path: string, headers: Record<string, string> = {}, method = "GET") => {
    const response = await fetch(`${coordinator.url}${path}`, { method, headers });
    return {
      status: response.status,
      headers: response.headers,
      bytes: Buffer.from(await response.arrayBuffer()),
    };
  };

  test("serves a target whole, to be kept for ever, with its hash as a strong ETag", async () => {
    const { status, headers, bytes } = await get(TARGET);
    expect(status).toBe(200);
    expect(bytes.equals(BYTES)).toBe(true);
    expect(headers.get("etag")).toBe(`"${HASH}"`);
    expect(headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(headers.get("accept-ranges")).toBe("bytes");
    expect(headers.get("content-length")).toBe(String(BYTES.length));
  });

  test("goes on where a download was cut off", async () => {
    const { status, headers, bytes } = await get(TARGET, { range: "bytes=150000-", "if-range": `"${HASH}"` });
    expect(status).toBe(206);
    expect(headers.get("content-range")).toBe(`bytes 150000-${BYTES.length - 1}/${BYTES.length}`);
    expect(bytes.equals(BYTES.subarray(150_000))).toBe(true);
  });

  test("starts over when the file is not the one that was begun", async () => {
    const { status, bytes } = await get(TARGET, { range: "bytes=150000-", "if-range": '"another"' });
    expect(status).toBe(200);
    expect(bytes.length).toBe(BYTES.length);
  });

  test("a range behind the end is refused, with the length that there is", async () => {
    const { status, headers, bytes } = await get(TARGET, { range: `bytes=${BYTES.length}-` });
    expect(status).toBe(416);
    expect(headers.get("content-range")).toBe(`bytes */${BYTES.length}`);
    expect(JSON.parse(bytes.toString())).toMatchObject({ code: "range-not-satisfiable" });
  });

  test("what the caller has already is not sent again", async () => {
    expect((await get(TARGET, { "if-none-match": `"x", W/"${HASH}"` })).status).toBe(304);
    const { headers } = await get("/tuf/metadata/timestamp.json");
    const etag = headers.get("etag") ?? "";
    expect((await get("/tuf/metadata/timestamp.json", { "if-none-match": etag })).status).toBe(304);
    await writeFile(join(coordinator.config.repositoryDir, "metadata", "timestamp.json"), '{"new":1}');
    expect((await get("/tuf/metadata/timestamp.json", { "if-none-match": etag })).status).toBe(200);
  });

  test("only the timestamp must be asked for anew", async () => {
    expect((await get("/tuf/metadata/timestamp.json")).headers.get("cache-control")).toBe("no-cache");
    expect((await get("/tuf/metadata/1.root.json")).headers.get("cache-control")).toContain("immutable");
    expect((await get("/tuf/metadata/3.root.json")).headers.get("cache-control")).toBe("no-store");
  });

  test("HEAD tells of a file without sending it; an empty file is empty", async () => {
    const head = await get(TARGET, {}, "HEAD");
    expect(head).toMatchObject({ status: 200, bytes: Buffer.alloc(0) });
    expect(head.headers.get("content-length")).toBe(String(BYTES.length));
    expect(await get("/tuf/metadata/2.root.json")).toMatchObject({ status: 200, bytes: Buffer.alloc(0) });
  });

  test.each([
    "/tuf/targets/../../admin.token",
    "/tuf/targets/%2e%2e/%2e%2e/admin.token",
    "/tuf/targets/..%2f..%2fadmin.token",
    "/tuf/metadata/../uploads/x",
    "/tuf/metadata//1.root.json",
    "/tuf/metadata/./1.root.json",
    "/tuf/metadata/1.root.json%00",
    "/tuf/metadata/1.root.json/",
    "/tuf/metadata/",
    "/tuf/metadata/01.root.json",
    "/tuf/metadata/snapshot.json",
    "/tuf/targets/1.0.0/notes.txt",
    "/tuf/targets/1.0.0/.hidden",
    `/tuf/targets/linked/${HASH}.secret`,
    `/tuf/targets/${HASH}.link`,
    `/tuf/targets/${HASH}.directory`,
    `/tuf/targets/${HASH}.${"x".repeat(250)}`,
    "/tuf/targets/1.0.0",
    "/tuf/uploads/x",
    "/tuf/keys",
  ])("%s is not there", async (path) => {
    // By hand, since fetch would tidy the path up.
    const { status, text } = await raw(coordinator.url, path);
    expect(text).not.toContain("baton_");
    expect({ path, status }).toEqual({ path, status: 404 });
    expect(JSON.parse(text)).toMatchObject({ code: "not-found" });
  });
});

function raw(base: string, path: string): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const sent = request({ host: hostname, port, path }, (response) => {
      let text = "";
      response.on("data", (part: Buffer) => {
        text += part.toString();
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on("error", reject);
    sent.end();
  });
}
