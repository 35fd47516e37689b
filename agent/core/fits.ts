import satisfies from "semver/functions/satisfies.js";
import type { VersionJson } from "../../protocol/build.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";

/** What this node offers to a build. */
export type Host = {
  readonly platform: VersionJson["platform"];
  /** Version of the Node that would run the build, without a leading "v". */
  readonly nodeVersion: string;
  /** Version of the protocol that this agent speaks. */
  readonly protocol: number;
};

export type FitFault = Fault<"wrong-platform" | "wrong-engine" | "wrong-protocol">;

/**
 * Whether a build can run on this node at all, by what it says of itself. Known before a byte of it is fetched,
 * from what was signed with it, and asked again of its `version.json`.
 *
 * Neighbouring versions of the protocol understand each other; a build further away must be reached by way of one
 * in between.
 */
export function fits(
  build: Pick<VersionJson, "version" | "platform" | "engines" | "protocol">,
  host: Host,
): Result<void, FitFault> {
  if (build.platform !== host.platform) {
    return err({
      code: "wrong-platform",
      message: `Build ${build.version} is for ${build.platform}, and this node is ${host.platform}.`,
      hint: "Publish the release with a bundle for this platform.",
      context: { build: build.platform, node: host.platform },
    });
  }
  if (!satisfies(host.nodeVersion, build.engines.node, { includePrerelease: true })) {
    return err({
      code: "wrong-engine",
      message: `Build ${build.version} needs Node ${build.engines.node}, and this node has ${host.nodeVersion}.`,
      hint: "Upgrade the baton-agent package, or bundle with --runtime.",
      context: { build: build.engines.node, node: host.nodeVersion },
    });
  }
  if (Math.abs(build.protocol - host.protocol) > 1) {
    return err({
      code: "wrong-protocol",
      message: `Build ${build.version} speaks protocol ${build.protocol}, and this agent ${host.protocol}.`,
      hint: "Update by way of a version in between.",
      context: { build: build.protocol, node: host.protocol },
    });
  }
  return ok(undefined);
}
