import { FaultError } from "../../protocol/result.ts";
import { type Config, loadConfig, type Overrides } from "../config.ts";

/** What the commands need from outside. */
export type World = {
  /** Results. */
  readonly print: (text: string) => void;
  /** Everything else. */
  readonly say: (text: string) => void;
  /** Whose the state directory is, so that root leaves no files there that the service cannot write. */
  readonly becomeOwnerOf: (dir: string) => Promise<void>;
  /** Directory of the program, beside which the dashboard is. */
  readonly home?: string;
  /** The same for the length of `work`; where it is missing, `work` is done as who runs this. */
  readonly actAsOwnerOf?: <T>(dir: string, work: () => Promise<T>) => Promise<T>;
};

/** Options of every command. */
export type Shared = { readonly config?: string; readonly stateDir?: string; readonly json?: true };

/** The configuration, acted upon as the owner of the state directory. Throws `FaultError` `settings`. */
export async function configOf(world: World, shared: Shared, overrides: Overrides = {}): Promise<Config> {
  const config = await readConfig(shared, overrides);
  await world.becomeOwnerOf(config.stateDir);
  return config;
}

/** The configuration, and nothing else. Throws `FaultError` `settings`. */
export async function readConfig(shared: Shared, overrides: Overrides = {}): Promise<Config> {
  const config = await loadConfig(shared.config, { stateDir: shared.stateDir, ...overrides });
  if (!config.ok) throw new FaultError(config.error);
  return config.value;
}
