import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { Command, InvalidArgumentError } from "commander";
import pino from "pino";
import { FaultError } from "../../protocol/result.ts";
import { systemClock } from "../clock.ts";
import { serve } from "../serve.ts";
import { configOf, type Shared, type World } from "./world.ts";

type Options = { address?: string; port?: number; insecureHttp?: true };

/** `coordinator serve`: runs until SIGTERM or SIGINT, and then ends in good order with status 0. */
export const serveCommand = (world: World): Command =>
  new Command("serve")
    .description("run the coordinator")
    .option("--address <address>", "the address to listen on")
    .option("--port <port>", "the port to listen on; 0 takes a free one", portOption)
    .option("--insecure-http", "serve plain HTTP beyond this machine")
    .action(async ({ address, port, insecureHttp }: Options, self: Command) => {
      const config = await configOf(world, self.optsWithGlobals<Shared>(), { address, port, insecureHttp });
      setFlagsFromString(HEAP);
      // Synchronous, so that the last lines before an exit are never lost.
      const log = pino({ level: config.logLevel }, pino.destination({ dest: 1, sync: true }));
      const ending = Promise.withResolvers<string>();
      const end = (signal: string): void => ending.resolve(signal);
      for (const signal of ENDINGS) process.on(signal, end);
      // Listened to all the time: between two servers it would end the process.
      let reloadTls = async (): Promise<void> => undefined;
      const reload = (): void => {
        reloadTls().catch((error: unknown) => log.error({ err: error }, "certificate not read"));
      };
      process.on("SIGHUP", reload);
      try {
        for (let isOver = false; !isOver; ) {
          const running = await serve(config, log, systemClock, {
            ofProcess: true,
            dashboardDirs: dashboardDirsOf(world),
          });
          if (!running.ok) throw new FaultError(running.error);
          reloadTls = () => running.value.reloadTls();
          const why = await Promise.race([ending.promise, running.value.failedOver]);
          isOver = typeof why === "string";
          if (typeof why === "string") log.info({ signal: why }, "asked to stop");
          else log.warn({ err: why }, "beginning anew on the database that takes writes now");
          await running.value.stop();
        }
      } finally {
        for (const signal of ENDINGS) process.off(signal, end);
        process.off("SIGHUP", reload);
      }
    });

/** Beside the program that was built; or, when the sources run, where `npm run build` has put it. */
const dashboardDirsOf = ({ home }: World): readonly string[] =>
  home === undefined ? [] : [join(home, "dashboard"), join(home, "../build/dashboard")];

/**
 * Left to itself V8 lets the heap grow to several times what is in use before it looks for what is not: much of what ten
 * thousand sessions seem to take is what their beginnings left behind.
 */
const HEAP = "--heap-growing-percent=50";

const ENDINGS = ["SIGTERM", "SIGINT"] as const;

const portOption = (text: string): number => {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new InvalidArgumentError("It is a number up to 65535.");
  return port;
};
