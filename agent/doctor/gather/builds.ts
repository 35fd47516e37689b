import { readBootId } from "../../effects/boot-id.ts";
import { realDisk } from "../../effects/disk.ts";
import type { Layout } from "../../effects/layout.ts";
import { readLinkOrNull } from "../../effects/placed.ts";
import { lookAround } from "../../effects/recover.ts";
import type { BuildsFacts } from "../builds.ts";

/** What a start would find. Changes nothing. */
export async function lookAtBuilds(layout: Layout): Promise<BuildsFacts> {
  const found = await lookAround(realDisk, layout, { bootId: readBootId(), refunds: 0 });
  return {
    journal: found.journal,
    dist: { link: await readLinkOrNull(realDisk, layout.dist), placed: found.dist },
    backup: { link: await readLinkOrNull(realDisk, layout.backup), placed: found.backup },
    quarantine: found.quarantine,
  };
}
