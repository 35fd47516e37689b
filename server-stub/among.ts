/** What a coordinator has beyond its own doors when it is one of several on one PostgreSQL. */
import { readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import type { FastifyBaseLogger } from "fastify";
import { FaultError } from "../protocol/result.ts";
import type { DurationMs } from "../protocol/time.ts";
import { type Identify, identifyAsLocal } from "./api/authorize.ts";
import type { Among } from "./assemble.ts";
import type { Config } from "./config.ts";
import { createDoor, type Door } from "./replicas/door.ts";
import { createLink } from "./replicas/link.ts";
import { createOrigins, type Origins } from "./replicas/origins.ts";
import type { Replica } from "./service/replica.ts";
import { createPoke } from "./store/poke.ts";
import { pokedStore } from "./store/poked.ts";
import { type Engine, startEngine } from "./timer.ts";

export type OneOfSeveral = {
  readonly among: Among;
  readonly origins: Origins;
  /** Of the network, and of the control socket. */
  readonly door: Door;
  readonly localDoor: Door;
  /** Who asks over the control socket of another coordinator is an administrator here as well. */
  identifying(others: Identify): Identify;
  /**
   * From now on the seat is looked after; resolves after the first look, so that who is alone decides by then. `url`:
   * where this coordinator listens; `sendAway`: ends the sessions here.
   */
  begin(replica: Replica, url: string, sendAway: () => void): Promise<void>;
  /** The seat is looked after no longer. */
  end(): Promise<void>;
  /** Agents are not led to another coordinator any more, and no coordinator follows this one. */
  readonly hangUp: () => void;
  /** Gives up what is still on its way to another coordinator. */
  close(): Promise<void>;
};

/** Between two looks at the seat: a small part of the time after which a silent holder has lost it. */
const LOOK_MS: DurationMs = 500;
/** Between two looks whether pokes still come. */
const POKES_MS: DurationMs = 1_000;

/**
 * Null where the database is a file: nobody else can be there. Throws `FaultError` `settings` for a file that cannot be
 * read.
 */
export async function joinOthers(config: Config, log: FastifyBaseLogger): Promise<OneOfSeveral | null> {
  if (config.postgres === null) return null;
  const [{ createSeatLock }, { createPokes }, tls] = await Promise.all([
    import("./store/postgres/seat-lock.ts"),
    import("./store/postgres/pokes.ts"),
    readTls(config),
  ]);
  let replica: Replica | null = null;
  let listensAt: string | null = null;
  let sendAway: () => void = () => undefined;
  const timers: Engine[] = [];
  const origins = createOrigins();
  const seated = { hasSeat: () => replica?.hasSeat() === true, seat: () => replica?.seat() ?? null };
  const inside: Parameters<typeof createDoor>[0]["inside"] = (request, response) =>
    link.answer(request, response);
  const door = createDoor({ seated, origins, tls, log, inside });
  const localDoor = createDoor({ seated, origins, tls, log, inside, isLocal: true });
  const link = createLink(door, () => replica);
  const failed = (error: unknown): void =>
    log.warn({ err: error }, "the seat could not be looked after; the next look tries again");
  let known: string | undefined;
  const look = async (): Promise<void> => {
    await replica?.look();
    const seat = seated.seat();
    if (seat?.claim === known) return;
    known = seat?.claim;
    door.moved();
    localDoor.moved();
    if (seat === null) return;
    const fields = { address: seat.address };
    log.info(fields, seated.hasSeat() ? "this coordinator decides" : "another coordinator decides");
  };
  const lock = createSeatLock(config.postgres, log, () => void look().catch(failed));
  const heard = createPoke();
  const pokes = createPokes(config.postgres, log, () => heard.poke());
  return {
    origins,
    door,
    localDoor,
    among: {
      lock,
      unreachable: door.fault,
      listening: (store) => pokedStore(store, heard, pokes.tell),
      options: {
        address: () => config.advertise ?? (listensAt === null ? null : reachable(listensAt)),
        elsewhere: link.shows,
        changed: (hasSeat) => {
          if (hasSeat) return log.info({}, "takes the seat");
          log.warn({}, "has lost the seat: sessions end here, and begin anew with whoever has it");
          sendAway();
        },
      },
    },
    identifying: (others) => async (request) =>
      origins.isLocal(request.headers) ? identifyAsLocal(request) : others(request),
    begin: async (its, url, away) => {
      replica = its;
      listensAt = url;
      sendAway = away;
      timers.push(startEngine(() => lock.keep(), LOOK_MS, failed));
      await look().catch(failed);
      timers.push(
        startEngine(look, LOOK_MS, failed),
        startEngine(link.look, LOOK_MS, failed),
        startEngine(pokes.look, POKES_MS, failed),
      );
    },
    end: async () => {
      await Promise.all(timers.map((timer) => timer.stop()));
    },
    hangUp: () => {
      door.hangUp();
      link.close();
    },
    close: async () => {
      link.close();
      door.close();
      localDoor.close();
      await pokes.close();
    },
  };
}

async function readTls({ replicas: { caFile, serverName } }: Config) {
  const named = serverName === null ? {} : { servername: serverName };
  if (caFile === null) return named;
  try {
    return { ...named, ca: await readFile(caFile) };
  } catch (cause) {
    throw new FaultError(
      {
        code: "settings",
        message: `replicas.ca_file: ${caFile} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`,
      },
      { cause },
    );
  }
}

/** Where others reach who listens on all addresses: at the first that is not only this machine's. */
function reachable(url: string): string {
  const at = new URL(url);
  if (at.hostname !== "0.0.0.0" && at.hostname !== "[::]") return at.origin;
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const first = addresses.find(({ internal, family }) => !internal && family === "IPv4");
  at.hostname = first?.address ?? "127.0.0.1";
  return at.origin;
}
