import { join } from "node:path";
import { buildPackages } from "../../../packaging/debian/main.ts";
import type { Lab } from "../lab/lab.ts";

export type Packages = { readonly agent: string; readonly coordinator: string };

/** The version of the packages that the fleet is set up with, and so of its first builds. */
export const PACKAGE_VERSION = "0.9.0";

/** Both Debian packages by `npm run package`'s own builder, made once for each version that is asked for. */
export const packages = (lab: Lab, version = PACKAGE_VERSION): Promise<Packages> =>
  lab.once(`packages ${version}`, async () => {
    const out = join(lab.site.directory, "packages", version);
    const [agent, coordinator] = await buildPackages({ out, version, compression: "quick" });
    return { agent, coordinator };
  });
