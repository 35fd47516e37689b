import { Sha256 } from "../../../protocol/build.ts";
import { TrustUpdate } from "../../../protocol/ceremony.ts";
import type { Result } from "../../../protocol/result.ts";
import { Type } from "../../../protocol/schema.ts";
import { MAX_METADATA_BYTES } from "../../../protocol/trust.ts";
import type { Principal, Refusal } from "../../service/coordinator.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";

/** Takes in roots that a publisher has signed, one following the other. */
export type InstallTrust = (
  by: Principal,
  updates: readonly TrustUpdate[],
) => Promise<Result<{ version: number; fingerprint: string }, Refusal>>;

const InstallRequest = Type.Object(
  { updates: Type.Array(TrustUpdate, { minItems: 1, maxItems: 64 }) },
  { additionalProperties: false, title: "InstallTrustRequest" },
);

const Installed = Type.Object(
  { version: Type.Integer({ minimum: 1 }), fingerprint: Sha256 },
  { additionalProperties: false, title: "TrustInstalled" },
);

/** Their signatures decide whether they are taken; the role only keeps strangers out. */
export const trustRoutes = (install: InstallTrust): readonly Endpoint[] => [
  endpoint({
    route: "POST /v1/trust",
    id: "installTrust",
    summary: "Install roots that the publisher signed: the answer to a key request, or a rotation",
    callers: "operator",
    body: InstallRequest,
    answer: Installed,
    maxBodyBytes: MAX_METADATA_BYTES.root * 4 + MAX_METADATA_BYTES.targets,
    handle: ({ by, body }) => install(by, body.updates),
  }),
];
