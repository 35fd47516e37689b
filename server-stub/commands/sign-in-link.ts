import { Command } from "commander";
import { SignInLink } from "../../protocol/sign-in.ts";
import { asLocal } from "../local.ts";
import { configOf, type Shared, type World } from "./world.ts";

/** `coordinator sign-in-link`: an address that opens the dashboard as an administrator, once. */
export const signInLinkCommand = (world: World): Command =>
  new Command("sign-in-link")
    .description("print an address that opens the dashboard as an administrator, for ten minutes and once")
    .option("--json", "print JSON")
    .action(async (_: object, self: Command) => {
      const shared = self.optsWithGlobals<Shared>();
      const link = await asLocal(await configOf(world, shared), (at) =>
        at.call("POST", "/v1/sign-in-links", SignInLink),
      );
      world.print(shared.json === true ? JSON.stringify(link) : link.url);
    });
