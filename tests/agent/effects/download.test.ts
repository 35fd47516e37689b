import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent } from "undici";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Disk, realDisk } from "../../../agent/effects/disk.ts";
import { type DownloadRequest, downloadBundle, sweepDownloads } from "../../../agent/effects/download.ts";

const CONTENT = randomBytes(3_000_000);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const HASH = sha256(CONTENT);

let dir = "";
let server: Server;
let dispatcher: Agent;
let waits: number[];
let handler: (request: IncomingMessage, response: ServerResponse) => void;
let ranges: (string | undefined)[];

/** Serves ranges as any good server does. */
const serve = (request: IncomingMessage, response: ServerResponse, content = CONTENT, etag = '"one"') => {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? Number.NaN);
  const ifRange = request.headers["if-range"];
  const partial = !Number.isNaN(start) && (ifRange === undefined || ifRange === etag);
  if (partial && start >= content.length) return response.writeHead(416).end();
  const body = partial ? content.subarray(start) : content;
  response.writeHead(partial ? 206 : 200, {
    etag,
    "content-length": body.length,
    ...(partial && { "content-range": `bytes ${start}-${content.length - 1}/${content.length}` }),
  });
  return response.end(body);
};

/** Sends some bytes, then cuts the wire. */
const cutAfter = (bytes: number, response: ServerResponse, from = 0) => {
  response.writeHead(from > 0 ? 206 : 200, {
    etag: '"one"',
    "content-length": CONTENT.length - from,
    ...(from > 0 && { "content-range": `bytes ${from}-${CONTENT.length - 1}/${CONTENT.length}` }),
  });
  response.write(CONTENT.subarray(from, from + bytes), () => response.destroy());
};

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "baton-download-"));
  waits = [];
  ranges = [];
  handler = serve;
  dispatcher = new Agent();
  server = createServer((request, response) => {
    ranges.push(request.headers.range);
    handler(request, response);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
});
afterEach(async () => {
  await dispatcher.destroy();
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  await rm(dir, { recursive: true });
});

const request = (over: Partial<DownloadRequest> = {}): DownloadRequest => ({
  disk: realDisk,
  dir,
  url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/tuf/targets/1.0.0/x`,
  sha256: HASH,
  bytes: CONTENT.length,
  dispatcher,
  timeoutMs: 10_000,
  uptime: () => performance.now(),
  wait: async (ms) => {
    waits.push(ms);
  },
  ...over,
});
const download = (over?: Partial<DownloadRequest>) => downloadBundle(request(over));
const part = () => join(dir, `${HASH}.part`);

describe("a download", () => {
  it("is whole and verified, and tells how far it is", async () => {
    const seen: number[] = [];
    let at = 0;
    const result = await download({
      uptime: () => {
        at += 300;
        return at;
      },
      progress: ({ bytes, ofBytes, bytesPerSecond }) => {
        seen.push(bytes);
        expect(ofBytes).toBe(CONTENT.length);
        expect(bytesPerSecond).toBeGreaterThan(0);
      },
    });
    expect(result).toEqual({ ok: true, value: { path: part(), resumedFrom: 0 } });
    expect(sha256(await readFile(part()))).toBe(HASH);
    expect(seen.length).toBeGreaterThan(1);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  it("is not fetched again when it is there", async () => {
    await download();
    handler = (_request, response) => response.destroy();
    expect(await download()).toMatchObject({ ok: true, value: { resumedFrom: CONTENT.length } });
  });

  it("goes on where the connection broke, by Range and If-Range", async () => {
    let ifRange: string | undefined;
    handler = (_request, response) => {
      handler = (again, second) => {
        ifRange = again.headers["if-range"] as string;
        serve(again, second);
      };
      cutAfter(1_000_000, response);
    };
    expect(await download()).toMatchObject({ ok: true });
    const [first, second] = ranges;
    expect(first).toBeUndefined();
    expect(second).toMatch(/^bytes=[1-9]\d*-$/);
    expect(ifRange).toBe('"one"');
    expect(sha256(await readFile(part()))).toBe(HASH);
  });

  it("goes on after a restart of the agent, hashing what is there", async () => {
    await writeFile(part(), CONTENT.subarray(0, 2_000_000));
    expect(await download()).toMatchObject({ ok: true, value: { resumedFrom: 2_000_000 } });
    expect(ranges).toEqual(["bytes=2000000-"]);
  });

  it("begins again when the file is another by now (If-Range answered in full)", async () => {
    await writeFile(part(), CONTENT.subarray(0, 1_000_000));
    await writeFile(join(dir, `${HASH}.etag`), '"of another file"');
    expect(await download()).toMatchObject({ ok: true });
    expect(sha256(await readFile(part()))).toBe(HASH);
  });

  it.each([
    ["holds other bytes", Buffer.alloc(1_000_000)],
    ["is whole but wrong", Buffer.alloc(CONTENT.length)],
    ["is too long", Buffer.concat([CONTENT, Buffer.from("more")])],
  ])("begins again when the part %s", async (_what, bytes) => {
    await writeFile(part(), bytes);
    expect(await download()).toMatchObject({ ok: true, value: { path: part() } });
    expect(sha256(await readFile(part()))).toBe(HASH);
    expect(ranges.at(-1)).toBeUndefined();
  });

  it("begins again when the other side answers another range than was asked for", async () => {
    await writeFile(part(), CONTENT.subarray(0, 1_000_000));
    handler = (_request, response) => {
      handler = serve;
      response.writeHead(206, { "content-range": `bytes 5-${CONTENT.length - 1}/${CONTENT.length}` });
      response.end(CONTENT.subarray(5));
    };
    expect(await download()).toMatchObject({ ok: true });
    expect(sha256(await readFile(part()))).toBe(HASH);
  });

  it("tries again while nobody answers, more and more slowly, and quickly again after progress", async () => {
    let tries = 0;
    handler = (incoming, response) => {
      tries += 1;
      if (tries <= 4) response.writeHead(503).end();
      else if (tries === 5) cutAfter(1_000_000, response);
      else serve(incoming, response);
    };
    expect(await download()).toMatchObject({ ok: true });
    expect(waits).toEqual([500, 1000, 2000, 4000, 500]);
  });
});

describe("a download is refused, and leaves nothing that is no good", () => {
  const wrong = Buffer.from(CONTENT);
  wrong[5] = (wrong[5] ?? 0) ^ 1;

  it.each([
    ["other bytes", "hash-mismatch", (_: IncomingMessage, r: ServerResponse) => r.end(wrong)],
    [
      "more bytes",
      "length-mismatch",
      (_: IncomingMessage, r: ServerResponse) => r.end(Buffer.concat([CONTENT, CONTENT])),
    ],
    ["fewer bytes", "length-mismatch", (_: IncomingMessage, r: ServerResponse) => r.end(CONTENT.subarray(5))],
    [
      "more bytes, without saying so before",
      "length-mismatch",
      (_: IncomingMessage, r: ServerResponse) => {
        r.write(CONTENT);
        r.end("!");
      },
    ],
    [
      "fewer bytes, without saying so before",
      "length-mismatch",
      (_: IncomingMessage, r: ServerResponse) => {
        r.write(CONTENT.subarray(0, 1000));
        r.end();
      },
    ],
    [
      "nothing, since it is gone",
      "http-status",
      (_: IncomingMessage, r: ServerResponse) => r.writeHead(404).end(),
    ],
  ])("for %s", async (_what, code, answer) => {
    handler = answer;
    expect(await download()).toMatchObject({ ok: false, error: { code } });
    expect(await readdir(dir)).toEqual([]);
    expect(waits).toEqual([]);
  });

  it("for endless bytes, after no more than were signed", async () => {
    handler = (_request, response) => {
      const more = () => {
        while (response.write(CONTENT));
        response.once("drain", more);
      };
      more();
    };
    expect(await download()).toMatchObject({ error: { code: "length-mismatch" } });
    expect(await readdir(dir)).toEqual([]);
  });

  it("for a full disk", async () => {
    const full: Disk = {
      ...realDisk,
      open: async (path, how, mode) => {
        const file = await realDisk.open(path, how, mode);
        if (!path.endsWith(".part")) return file;
        let left = 200_000;
        return {
          ...file,
          write: async (data) => {
            left -= data.length;
            if (left < 0) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
            await file.write(data);
          },
        };
      },
    };
    expect(await download({ disk: full })).toMatchObject({ error: { code: "disk-full" } });
    expect(await readdir(dir)).toEqual([]);
  });
});

describe("a download that does not come to an end", () => {
  const stall = (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(200, { "content-length": CONTENT.length, etag: '"one"' });
    response.write(CONTENT.subarray(0, 500_000));
  };

  it("is given up when its time is over, and what came stays", async () => {
    handler = stall;
    expect(await download({ timeoutMs: 300 })).toMatchObject({ error: { code: "timed-out" } });
    handler = serve;
    const resumed = await download();
    expect(resumed.ok && resumed.value.resumedFrom).toBeGreaterThan(0);
  });

  it("is given up when waiting for another try takes the rest of its time", async () => {
    server.closeAllConnections();
    handler = (_request, response) => response.destroy();
    const result = await download({
      timeoutMs: 200,
      wait: (_ms, signal) => sleep(60_000, undefined, { signal }),
    });
    expect(result).toMatchObject({
      error: { code: "timed-out", message: expect.stringContaining("last try") },
    });
  });

  it("can be cancelled, and what came stays", async () => {
    handler = stall;
    const cancel = new AbortController();
    let at = 0;
    const uptime = () => {
      at += 300;
      return at;
    };
    const result = await download({ signal: cancel.signal, uptime, progress: () => cancel.abort() });
    expect(result).toMatchObject({ error: { code: "cancelled" } });
    expect(await readdir(dir)).toContain(`${HASH}.part`);
  });

  it("is tried again when it stalls", async () => {
    handler = (incoming, response) => {
      handler = serve;
      stall(incoming, response);
    };
    expect(await download({ stallMs: 1_000 })).toMatchObject({ ok: true });
    expect(ranges[1]).toMatch(/^bytes=/);
  });
});

it("what nobody will go on with is swept away", async () => {
  for (const name of [`${HASH}.part`, `${HASH}.etag`, `${"0".repeat(64)}.part`])
    await writeFile(join(dir, name), "x");
  await sweepDownloads(realDisk, dir, HASH);
  expect((await readdir(dir)).sort()).toEqual([`${HASH}.etag`, `${HASH}.part`]);
  await sweepDownloads(realDisk, join(dir, "none"), null);
  await sweepDownloads(realDisk, dir, null);
  expect(await readdir(dir)).toEqual([]);
});
