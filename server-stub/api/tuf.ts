/**
 * The repository's files, `/tuf/metadata/` and `/tuf/targets/`: what any web server could serve instead.
 *
 * Invariants: nothing outside the two directories is ever served, also not through a link; a file whose name holds
 * its version or hash never changes and may be cached for ever; ETags are strong, so that an interrupted download
 * goes on where it was (RFC 9110, 13.1.5 forbids If-Range with weak ones).
 */
import { constants } from "node:fs";
import { type FileHandle, open, realpath } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Type } from "../../protocol/schema.ts";
import { TUF_METADATA_PATH, TUF_TARGETS_PATH } from "../../protocol/trust.ts";
import { PROBLEM_ANSWER } from "./endpoint.ts";
import { refuse } from "./problems.ts";
import { byteRange } from "./range.ts";

/** Where the files lie. */
export type TufDirs = { readonly metadataDir: string; readonly targetsDir: string };

/** One part of a path: no leading dot, nothing that a file system or a shell would read otherwise. */
const SEGMENT = /^[A-Za-z0-9_+-][A-Za-z0-9._+-]{0,254}$/;
const VERSIONED_METADATA = /^[1-9]\d{0,15}\.(root|targets|snapshot)\.json$/;
const HASHED_TARGET = /^([0-9a-f]{64})\./;

export function tufRoutes(app: FastifyInstance, { metadataDir, targetsDir }: TufDirs): void {
  serve(app, `${TUF_METADATA_PATH}/*`, metadataDir, METADATA, (name) => {
    if (VERSIONED_METADATA.test(name)) return { immutable: true };
    return name === "timestamp.json" ? { immutable: false } : null;
  });
  serve(app, `${TUF_TARGETS_PATH}/*`, targetsDir, TARGETS, (name) => {
    const hash = HASHED_TARGET.exec(name.slice(name.lastIndexOf("/") + 1))?.[1];
    return hash === undefined ? null : { immutable: true, etag: hash };
  });
}

const METADATA = {
  id: "getMetadata",
  summary: "The signed metadata of the repository",
  type: "application/json",
  schema: { type: "object" },
};
const TARGETS = {
  id: "getTarget",
  summary: "The bundles, by the hash in their name",
  type: "application/octet-stream",
  schema: { type: "string", format: "binary" },
};

type Kind = { readonly immutable: boolean; readonly etag?: string };

function serve(
  app: FastifyInstance,
  url: string,
  dir: string,
  { id, summary, type, schema }: typeof METADATA | typeof TARGETS,
  kindOf: (name: string) => Kind | null,
): void {
  app.route({
    method: "GET",
    url,
    // The path is checked by hand below; `*` is no name that a schema's keys could be matched by.
    validatorCompiler: () => (value) => ({ value }),
    schema: {
      operationId: id,
      summary,
      tags: ["tuf"],
      security: [],
      params: Type.Object({ "*": Type.String() }),
      response: {
        200: {
          description: "The file, or the part of it that Range asks for",
          content: { [type]: { schema } },
        },
        default: PROBLEM_ANSWER,
      },
    },
    handler: async (request, reply) => {
      const name = (request.params as { "*": string })["*"];
      const kind = name.split("/").every((part) => SEGMENT.test(part)) ? kindOf(name) : null;
      const file = kind === null ? null : await openWithin(dir, name);
      if (kind === null || file === null) {
        return refuse(request, reply, {
          code: "not-found",
          message: "There is no such file in the repository.",
        });
      }
      return send(request, reply, file, { ...kind, type });
    },
  });
}

/** Opens a regular file that really lies at `name` in `dir`; null when there is none, or a link is in the way. */
async function openWithin(dir: string, name: string): Promise<FileHandle | null> {
  try {
    const path = join(await realpath(dir), name);
    if ((await realpath(path)) !== path) return null;
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if ((await file.stat()).isFile()) return file;
    await file.close();
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP" || code === "ENAMETOOLONG") return null;
    throw error;
  }
}

async function send(
  request: FastifyRequest,
  reply: FastifyReply,
  file: FileHandle,
  kind: Kind & { readonly type: string },
): Promise<FastifyReply> {
  const { size, mtimeMs, ino } = await file.stat();
  const etag = `"${kind.etag ?? `${ino.toString(16)}-${size.toString(16)}-${Math.floor(mtimeMs).toString(16)}`}"`;
  reply
    .header("etag", etag)
    .header("accept-ranges", "bytes")
    .header("last-modified", new Date(mtimeMs).toUTCString())
    .header("cache-control", kind.immutable ? "public, max-age=31536000, immutable" : "no-cache")
    .header("x-content-type-options", "nosniff")
    .type(kind.type);

  if (matches(request.headers["if-none-match"], etag)) {
    await file.close();
    return reply.code(304).send();
  }
  const fresh = request.headers["if-range"] === undefined || request.headers["if-range"] === etag;
  const range = fresh ? byteRange(request.headers.range, size) : "whole";
  if (range === "unsatisfiable") {
    await file.close();
    reply.header("content-range", `bytes */${size}`);
    return refuse(request, reply, {
      code: "range-not-satisfiable",
      message: `The file has ${size} bytes, and none of those that were asked for.`,
      context: { bytes: size },
    });
  }
  const { start, end } = range === "whole" ? { start: 0, end: size - 1 } : range;
  if (range !== "whole") reply.code(206).header("content-range", `bytes ${start}-${end}/${size}`);
  reply.header("content-length", String(end - start + 1));
  if (request.method === "HEAD" || size === 0) {
    await file.close();
    // An empty stream, since an empty body would be given a length of its own.
    return reply.send(Readable.from([]));
  }
  return reply.send(file.createReadStream({ start, end, highWaterMark: 256 * 1024 }));
}

/** If-None-Match, by the weak comparison that it asks for. */
const matches = (header: string | undefined, etag: string): boolean =>
  header !== undefined &&
  (header.trim() === "*" || header.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag));
