import type { Command } from "commander";
import { ReleaseList } from "../../protocol/release.ts";
import { path } from "../api/client.ts";
import { table } from "../show/table.ts";
import type { World } from "../world.ts";
import { apiOf, leaf, must, print } from "./leaf.ts";

/** `baton releases`: what is published and signed. */
export const releasesCommand = (world: World): Command =>
  leaf("releases", "what is published").action(async (_: object, command: Command) => {
    const api = await apiOf(world, command);
    const list = must(await api.call({ path: path("v1", "releases"), answer: ReleaseList }));
    const rows = list.releases.flatMap((release) =>
      release.bundles.map((bundle) => [
        release.version,
        bundle.platform,
        bundle.buildHash.slice(0, 12),
        `${(bundle.bytes / 1e6).toFixed(1)} MB`,
        release.minVersion ?? "-",
      ]),
    );
    const heading = ["VERSION", "PLATFORM", "BUILD", "SIZE", "FLOOR"];
    const signed = list.expiresAt === null ? "" : `\n\nSigned until ${list.expiresAt}.`;
    print(world, command, list, rows.length === 0 ? "Nothing is published." : table(heading, rows) + signed);
  });
