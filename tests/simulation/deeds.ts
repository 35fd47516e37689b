/** Does to a world what its history says, and takes back what passes. */
import { makeBuild } from "./builds.ts";
import { OPERATOR } from "./coordinator.ts";
import { isAway } from "./coordinator-parts.ts";
import { DEEDS_OF_COORDINATORS, replicaOf } from "./deeds-of-coordinators.ts";
import { type Act, ANOTHER, type Deed, WHOEVER } from "./history.ts";
import { type Direction, FAIR } from "./network.ts";
import type { NodeMachine } from "./node.ts";
import type { World } from "./world.ts";

type Doers = {
  readonly [K in Deed["kind"]]: (world: World, deed: Extract<Deed, { kind: K }>, who: string) => void;
};

/** Arms every act of the history; those that wait for something are forgotten when `disarm` is called. */
export function armActs(world: World, count: (what: string) => void): { disarm(): void } {
  let armed = true;
  type Aimed = Extract<Act["when"], { enters: unknown }>;
  const waiting: { readonly when: Aimed; readonly act: Act; left: number }[] = [];
  const run = (act: Act, who: string) => {
    if (!armed) return;
    count(`deed: ${act.deed.kind}`);
    (DOERS[act.deed.kind] as Doers["kill"])(world, act.deed as never, who);
  };
  for (const act of world.history.acts) {
    const { when } = act;
    if ("at" in when) world.time.at(when.at, () => run(act, "n1"));
    else waiting.push({ when, act, left: when.nth });
  }
  world.entered = (node, state) => {
    count(`state: ${state}`);
    for (const each of waiting) {
      if (each.when.enters !== state || (each.when.node !== null && each.when.node !== node)) continue;
      each.left -= 1;
      if (each.left === 0) world.time.after(each.when.afterMs, () => run(each.act, node));
    }
  };
  return {
    disarm: () => {
      armed = false;
      world.entered = () => undefined;
    },
  };
}

function nodeOf(world: World, named: string, who: string): NodeMachine | undefined {
  const one = world.nodes.get(who);
  if (named === WHOEVER) return one;
  if (named !== ANOTHER) return world.nodes.get(named);
  const group = [...world.nodes.values()].filter(({ parts }) => parts.cluster === one?.parts.cluster);
  const at = one === undefined ? -1 : group.indexOf(one);
  return group[(at + 1) % group.length];
}

/** Asks the coordinator for something; what it refuses is as good as what it grants. */
function ask(world: World, what: string, run: () => Promise<{ readonly ok: boolean }> | null): void {
  world.story.tell("operator", what);
  const asked = run();
  if (asked === null) return;
  world.time.must(
    asked.then(
      (answer) => {
        if (!world.story.isTold || answer.ok) return;
        const { code, message } = (answer as unknown as { error: { code: string; message: string } }).error;
        world.story.tell("operator", `is refused: ${code}: ${message}`);
      },
      (cause: unknown) => {
        if (!isAway(cause)) throw cause;
        world.story.tell("operator", `is not served: ${String(cause)}`);
      },
    ),
  );
}

/** Asks for what is shown; nothing comes of it while nobody answers. */
function look<T>(world: World, asked: Promise<T>, then: (shown: T) => void): void {
  world.time.must(
    asked.then(then, (cause: unknown) => {
      if (!isAway(cause)) throw cause;
    }),
  );
}

const DOERS: Doers = {
  publish: (world, { release }) => {
    world.story.tell("publisher", `publishes ${release.version}, which ${release.manner}`);
    world.builds.publish(makeBuild(release.version, release.manner, release));
  },
  rollout: (world, { release, groups, stages, pauseMs, onFailure, offline, retry }) => {
    const selection = groups === null ? { all: true as const } : { groups: [...groups] };
    const policy = { stages: [...stages], pauseMs, onFailure, offline };
    ask(world, `starts a rollout of ${release} to ${groups?.join(" and ") ?? "all"}`, () => {
      const { services } = world.coordinator;
      return services?.rollouts.start(OPERATOR, { selection, release, policy, retry }) ?? null;
    });
  },
  "tell-rollout": (world, { action }) => {
    const { services } = world.coordinator;
    if (services === null) return;
    look(world, services.rollouts.list(), ([newest]) => {
      if (newest === undefined) return;
      ask(world, `${action}s rollout ${newest.id} of ${newest.release}`, () =>
        services.rollouts[action](OPERATOR, newest.id),
      );
    });
  },
  job: (world, { node, job, release, retry }, who) => {
    const machine = nodeOf(world, node, who);
    const { services } = world.coordinator;
    if (machine === undefined || services === null) return;
    ask(world, `starts ${job} of ${machine.name}${retry ? ", to retry" : ""}`, () =>
      services.nodes.start(OPERATOR, machine.nodeId, job, {
        ...(release === null ? {} : { release }),
        retry,
      }),
    );
  },
  "cancel-job": (world, { node }, who) => {
    const machine = nodeOf(world, node, who);
    const { services, stored } = world.coordinator;
    if (machine === undefined || services === null || stored === null) return;
    look(world, stored.activeJob(machine.nodeId), (job) => {
      if (job === null) return;
      ask(world, `cancels the job of ${machine.name}`, () => services.jobs.cancel(OPERATOR, job.value.id));
    });
  },
  "break-lease": (world, { group }) => breakLeases(world, group),
  "remove-node": (world, { node }, who) => {
    const machine = nodeOf(world, node, who);
    if (machine !== undefined) removeNode(world, machine);
  },
  freeze: (world, { group, ms }) => {
    const services = () => world.coordinator.services;
    ask(world, `freezes ${group ?? "everything"}`, () => {
      const request = { reason: "It is a holiday." };
      if (group === null) return services()?.policy.freeze(OPERATOR, request) ?? null;
      return services()?.groups.freeze(OPERATOR, group, request) ?? null;
    });
    world.time.after(ms, () =>
      ask(world, `lifts the freeze of ${group ?? "everything"}`, () => {
        if (group === null) return services()?.policy.unfreeze(OPERATOR) ?? null;
        return services()?.groups.unfreeze(OPERATOR, group) ?? null;
      }),
    );
  },
  "stop-unit": (world, { node, ms }, who) => {
    const machine = nodeOf(world, node, who);
    machine?.stopUnit();
    world.time.after(ms, () => machine?.startUnit());
  },
  elect: (world, { node }, who) => {
    const { cluster } = nodeOf(world, node, who)?.parts ?? {};
    if (cluster?.elect() === true) world.story.tell("cluster", `${cluster.leader} leads now`);
  },
  kill: (world, { node }, who) => nodeOf(world, node, who)?.kill("SIGKILL"),
  power: (world, { node, how, ms }, who) => {
    const machine = nodeOf(world, node, who);
    machine?.cutPower(how);
    world.time.after(ms, () => machine?.boot());
  },
  suspend: (world, { node, ms }, who) => nodeOf(world, node, who)?.suspend(ms),
  hang: (world, { node, ms }, who) => nodeOf(world, node, who)?.hang(ms),
  vanish: (world, { node }, who) => {
    const gone = [...world.nodes.values()].some(({ power }) => power === "gone");
    // A second one would leave no group that could ever be updated again.
    if (!gone) nodeOf(world, node, who)?.vanish();
  },
  cut: (world, { node, direction, ms }, who) => {
    const name = node === "*" ? node : (nodeOf(world, node, who)?.name ?? node);
    const both: readonly Direction[] = ["to-coordinator", "to-node"];
    const directions = direction === "both" ? both : [direction];
    world.story.tell("network", `${name}: ${direction} is cut for ${Math.round(ms)} ms`);
    for (const each of directions) world.network.cut(name, each);
    world.time.after(ms, () => {
      for (const each of directions) world.network.heal(name, each);
    });
  },
  weather: (world, { weather, ms }) => {
    const said = Object.entries(weather).map(([name, value]) => `${name} ${Number(value).toFixed(2)}`);
    world.story.tell("network", `storm for ${Math.round(ms)} ms: ${said.join(", ")}`);
    world.network.weather = weather;
    world.time.after(ms, () => {
      if (world.network.weather === weather) world.network.weather = FAIR;
    });
  },
  disk: (world, { node, trouble, ms }, who) => {
    const machine = nodeOf(world, node, who);
    if (machine === undefined) return;
    world.story.tell(machine.name, `disk fails with ${trouble} for ${ms} ms`);
    machine.disk.trouble = trouble;
    world.time.after(ms, () => {
      machine.disk.trouble = null;
    });
  },
  "slow-disk": (world, { node, factor, ms }, who) => {
    const machine = nodeOf(world, node, who);
    if (machine === undefined) return;
    world.story.tell(machine.name, `disk is ${factor} times slower for ${ms} ms`);
    machine.disk.slowness = factor;
    world.time.after(ms, () => {
      machine.disk.slowness = 1;
    });
  },
  wall: (world, { node, byMs }, who) => {
    const clock = node === null ? replicaOf(world).clock : nodeOf(world, node, who)?.clock;
    world.story.tell(node ?? "coordinator", `wall clock is set by ${byMs} ms`);
    clock?.setWall(byMs);
  },
  hooks: (world, { fails, overruns, ms }) => {
    const luck = { fails, overruns };
    world.luck = luck;
    world.time.after(ms, () => {
      if (world.luck === luck) world.luck = { fails: 0, overruns: 0 };
    });
  },
  ...DEEDS_OF_COORDINATORS,
};

/** Whatever of the group may be broken by now. */
export function breakLeases(world: World, group: string): void {
  const { services, stored } = world.coordinator;
  if (services === null || stored === null) return;
  world.time.must(
    stored.lease(group).then((lease) => {
      for (const { token } of lease?.value.holders ?? []) {
        ask(world, `breaks the lease of ${group} (token ${token})`, () =>
          services.leases.break(OPERATOR, group, { token, reason: "Nobody knows where it is." }),
        );
      }
    }),
  );
}

/** With it goes its place in what its group runs, as an operator would see to. */
export function removeNode(world: World, machine: NodeMachine): void {
  ask(world, `removes ${machine.name}`, () => {
    const removing = world.coordinator.services?.nodes.remove(OPERATOR, machine.nodeId);
    if (removing === undefined) return null;
    return removing.then((removed) => {
      if (removed.ok) machine.parts.cluster.retire(machine.name);
      return removed;
    });
  });
}
