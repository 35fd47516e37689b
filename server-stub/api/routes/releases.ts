import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import { Sha256 } from "../../../protocol/build.ts";
import { ReleaseList } from "../../../protocol/release.ts";
import { ok } from "../../../protocol/result.ts";
import { Type } from "../../../protocol/schema.ts";
import {
  MAX_BUNDLE_BYTES,
  MAX_METADATA_BYTES,
  Published,
  PublishRequest,
  Uploaded,
} from "../../../protocol/trust.ts";
import type { Coordinator } from "../../service/coordinator.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";

export const UPLOAD_TYPE = "application/octet-stream";

export const releaseRoutes = ({ releases }: Pick<Coordinator, "releases">): readonly Endpoint[] => [
  endpoint({
    route: "GET /v1/releases",
    id: "listReleases",
    summary: "What is published",
    callers: "operator",
    answer: ReleaseList,
    handle: async () => {
      const { releases: all, ...rest } = await releases.list();
      return ok({ releases: [...all], ...rest });
    },
  }),
  endpoint({
    route: "POST /v1/releases",
    id: "publish",
    summary: "Publish: targets metadata signed by the publisher, after its bundles were uploaded",
    callers: "operator",
    body: PublishRequest,
    answer: Published,
    status: 201,
    maxBodyBytes: MAX_METADATA_BYTES.targets + 65_536,
    handle: ({ by, body }) => releases.publish(by, body),
  }),
];

/** `PUT` of a bundle's bytes: the body is streamed, never held; so it is mounted beside the others. */
export const uploadRoute = ({ releases }: Pick<Coordinator, "releases">): Endpoint => {
  const upload = endpoint({
    route: "PUT /v1/releases/uploads/:sha256",
    id: "uploadBundle",
    summary: "The bytes of a bundle, before the release that names them; refused unless they have this hash",
    callers: "operator",
    params: Type.Object({ sha256: Sha256 }),
    answer: Uploaded,
    status: 201,
    maxBodyBytes: MAX_BUNDLE_BYTES,
    handle: async ({ by, params, request }) => {
      // A request without a body brings no bytes, and so not those that it names.
      const bytes = (request.body as Readable | undefined) ?? Readable.from([]);
      const stored = await releases.upload(by, params.sha256, bytes);
      return stored.ok ? ok({ sha256: params.sha256, bytes: stored.value.bytes }) : stored;
    },
  });
  return {
    route: upload.route,
    mount: (app: FastifyInstance, manners) => {
      app.register(async (scope) => {
        scope.removeAllContentTypeParsers();
        scope.addContentTypeParser(UPLOAD_TYPE, async (_: unknown, body: Readable) => body);
        upload.mount(scope, manners);
      });
    },
  };
};
