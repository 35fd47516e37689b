import { dirname, join } from "node:path";

/**
 * What of the agent's environment a workload does not get: systemd's notification and watchdog are for the agent
 * (etcd, for one, would say READY itself), sockets that systemd passed too, and no secret leaks by inheritance.
 */
const OURS =
  /^(NOTIFY_SOCKET|WATCHDOG_.*|LISTEN_(FDS|PID|FDNAMES)|FDSTORE|BATON_JOIN_TOKEN|CREDENTIALS_DIRECTORY)$/;

export type Environment = Readonly<NodeJS.ProcessEnv>;

/**
 * The environment of a workload and its hooks: the agent's, less what is the agent's own, with the bundle's `bin/`
 * first on the PATH and the runtime that runs the agent last, so that `node` is always found.
 */
export function workloadEnvironment(env: Environment, dist: string, runtime: string): Environment {
  const kept = Object.fromEntries(Object.entries(env).filter(([name]) => !OURS.test(name)));
  const path = env.PATH ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  return { ...kept, PATH: [join(dist, "bin"), path, dirname(runtime)].join(":"), BATON_DIST: dist };
}
