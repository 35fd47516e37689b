/** `baton publish` and `baton export`: bundles to a signed release, for the coordinator or for where there is no network. */
import type { Command } from "commander";
import { Channel } from "../../protocol/policy.ts";
import { FaultError } from "../../protocol/result.ts";
import { type ApiClient, path } from "../api/client.ts";
import { promoted } from "../commands/channels.ts";
import { apiOf, leaf, must, print, wantsJson } from "../commands/leaf.ts";
import { keysDirOf } from "../keys/keyring.ts";
import { type PassphraseSource, readPassphrase, terminalPrompt } from "../keys/passphrase.ts";
import type { Output } from "../show/output.ts";
import type { World } from "../world.ts";
import { type BundleFile, openBundle } from "./bundle.ts";
import { exportKit } from "./export.ts";
import { type PublishDone, publishRelease } from "./publish.ts";

type PublishOptions = {
  readonly minVersion?: string;
  readonly channel?: string;
  readonly rebuild?: true;
  readonly renew?: true;
  readonly afterRestore?: true;
  readonly keys?: string;
};

/** `baton publish`: signs bundles as a release and hands them to the coordinator. */
export const publishCommand = (
  world: World,
  ask: PassphraseSource["ask"] = terminalPrompt(world.err.isTerminal && process.stdin.isTTY),
): Command =>
  leaf("publish", "sign bundles as a release, and hand them to the coordinator")
    .argument("[bundle...]", "bundles of one version, one per platform")
    .option("--min-version <release>", "floor: nodes that confirm this release never go below it again")
    .option("--channel <channel>", "move this channel to the release once it is published")
    .option("--rebuild", "put this build in the place of another one of the same version")
    .option("--renew", "no new release: sign what is published anew, before its signature expires")
    .option(
      "--after-restore",
      "the coordinator was restored from a backup, and may lack what was published since",
    )
    .option("--keys <dir>", "key directory (default: $BATON_KEYS or ./baton-keys)")
    .action(async (files: readonly string[], options: PublishOptions, command: Command) => {
      if ((files.length === 0) !== (options.renew === true)) {
        throw new FaultError({
          code: "usage",
          message: "Name the bundles to publish, or say --renew, and not both.",
        });
      }
      const bundles = await openAll(files);
      const passphrase = must(await readPassphrase({ env: world.env, ask }, "open"));
      const api = await apiOf(world, command);
      const { minVersion, channel, rebuild, afterRestore } = options;
      // A channel that is not there is told before anything is signed.
      if (channel !== undefined)
        must(await api.call({ path: path("v1", "channels", channel), answer: Channel }));
      const done = must(
        await publishRelease({
          keys: { dir: keysDirOf(world.env, options.keys), passphrase },
          api,
          bundles,
          now: world.now(),
          ...(minVersion !== undefined && { minVersion }),
          ...(rebuild === true && { rebuild }),
          ...(afterRestore === true && { afterRestore }),
          ...(!wantsJson(command) && world.err.isTerminal && { progress: meter(world.err) }),
        }),
      );
      const version = bundles[0]?.versionJson.version ?? null;
      const moved =
        channel === undefined || version === null ? null : must(await promote(api, channel, version));
      const text = [sentence(version, bundles, done), ...(moved === null ? [] : [promoted(moved)])].join(
        "\n",
      );
      print(world, command, { version, ...done, ...(moved === null ? {} : { channel: moved }) }, text);
    });

/** `baton export`: an offline kit of published bundles. */
export const exportCommand = (world: World): Command =>
  leaf(
    "export",
    "write published bundles and their signatures as a kit for `agent install`, without a network",
  )
    .argument("<kit>", "file to write")
    .argument("<bundle...>", "bundles that were published, one per platform")
    .option("--keys <dir>", "key directory (default: $BATON_KEYS or ./baton-keys)")
    .action(async (kit: string, files: readonly string[], options: { keys?: string }, command: Command) => {
      const written = must(await exportKit(keysDirOf(world.env, options.keys), await openAll(files), kit));
      const count = written.bundles === 1 ? "1 bundle" : `${written.bundles} bundles`;
      print(world, command, written, `Wrote ${kit} with ${count}. On the node: agent install ${kit}`);
    });

/** After publishing, and not with it: what a channel is at is the operator's to say, and needs no signature. */
const promote = (api: ApiClient, channel: string, release: string) =>
  api.call({
    method: "POST",
    path: path("v1", "channels", channel, "promote"),
    body: { release },
    answer: Channel,
  });

async function openAll(files: readonly string[]): Promise<BundleFile[]> {
  const bundles: BundleFile[] = [];
  for (const file of files) bundles.push(must(await openBundle(file)));
  return bundles;
}

function sentence(version: string | null, bundles: readonly BundleFile[], done: PublishDone): string {
  const until = `The signature is good until ${done.expires}.`;
  if (version === null)
    return `Signed anew what is published (targets version ${done.targetsVersion}). ${until}`;
  const platforms = bundles.map(({ versionJson }) => versionJson.platform).join(", ");
  return done.changed
    ? `Published ${version} for ${platforms}. ${until}`
    : `${version} for ${platforms} was published already; nothing was changed. ${until}`;
}

/** One line that counts up, on a terminal. */
function meter(err: Output): (at: { file: string; bytes: number; ofBytes: number }) => void {
  let shown = -1;
  return ({ file, bytes, ofBytes }) => {
    const percent = Math.floor((100 * bytes) / ofBytes);
    if (percent === shown) return;
    shown = percent;
    err.write(`\r${file} ${String(percent).padStart(3)} %${bytes === ofBytes ? "\n" : ""}`);
  };
}
