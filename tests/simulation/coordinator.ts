/**
 * The coordinator's machine: one process of the real services after the other, over what is stored. A process that
 * crashes is cut off from its store and its doors at once, wherever it stands.
 */
import type { Coordinator } from "../../server-stub/service/coordinator.ts";
import { createCoordinator } from "../../server-stub/service/create.ts";
import type { Log, Parts } from "../../server-stub/service/parts.ts";
import { createReplica, type Replica, type SeatLock } from "../../server-stub/service/replica.ts";
import { markRestored } from "../../server-stub/service/restart.ts";
import { rememberedStore } from "../../server-stub/store/remembered/store.ts";
import type { Store } from "../../server-stub/store/store.ts";
import { Shelf } from "../server-stub/service/shelf.ts";
import { MachineClock } from "./clock.ts";
import { type CoordinatorParts, isAway, OPERATOR } from "./coordinator-parts.ts";
import { Doors } from "./doors.ts";
import { takesSeat } from "./invariants/seat.ts";
import { storeOfProcess } from "./store.ts";

export { OPERATOR };

/** From its start on. */
type Life = { alive: boolean; readonly inner: Store; lock: SeatLock | null };
type Process = Life & {
  /** The one that is cut off when the process dies. */
  readonly store: Store;
  readonly replica: Pick<Replica, "current" | "hasSeat" | "look">;
};

const TICK_MS = 1_000;
/** As `server-stub/among.ts` looks after the seat. */
const LOOK_MS = 500;
/** A process that could not start is started again. */
const RESTART_MS = 1_000;

export class CoordinatorMachine {
  readonly clock: MachineClock;
  readonly doors: Doors;
  /** How many of its writes have become durable. */
  writes = 0;
  /** How much longer than usual its disk takes. */
  slowness = 1;
  /** Who decides as it last saw, when it does not: it leads others there. */
  leadsTo: CoordinatorMachine | null = null;
  /** Whom it would see if it looked now. */
  decides: () => CoordinatorMachine | null = () => null;
  /** When its last claim to the seat was written, in the world's time; before everything when none was. */
  satDownAt = Number.NEGATIVE_INFINITY;
  readonly #parts: CoordinatorParts;
  #life: Life | null = null;
  #process: Process | null = null;

  constructor(parts: CoordinatorParts) {
    this.#parts = parts;
    this.clock = new MachineClock(parts.time, parts.rate);
    this.doors = new Doors(this, parts.watch, () => this.services);
  }

  get name(): string {
    return this.#parts.name;
  }

  /** It runs, and decides. */
  get isUp(): boolean {
    return this.#process?.replica.hasSeat() === true;
  }

  /** It runs, whoever decides. */
  get isRunning(): boolean {
    return this.#process !== null;
  }

  get wasRestored(): boolean {
    return this.#parts.backup.restores > 0;
  }

  /** It runs, or is about to. */
  get isBegun(): boolean {
    return this.#life !== null;
  }

  /** What operators call; null while it is down. */
  get services(): Coordinator | null {
    return this.#process?.replica.current() ?? null;
  }

  /** What is stored, without any delay; for who only looks. */
  get stored(): Store | null {
    return this.#process?.inner ?? null;
  }

  async start(): Promise<void> {
    if (this.isBegun) return;
    const { storage, random, timings, builds, watch, shared, backup } = this.#parts;
    const restored = backup.isFresh;
    if (restored) watch.count("coordinator: restored");
    backup.isFresh = false;
    const inner = await storage.open(() => this.clock.now());
    if (restored) {
      backup.restores += 1;
      await markRestored(inner, this.clock.now(), 1 + backup.restores);
    }
    if (shared === null || restored) await watch.began(this, inner, restored);
    const life: Life = { alive: true, inner, lock: null };
    const store = this.#storeOf(life);
    if (shared !== null) life.lock = this.#lockOf(life);
    this.#life = life;
    const repository = Object.assign(new Shelf(), {
      releases: () => ({
        releases: builds.releases,
        targetsVersion: builds.releases.length,
        expiresAt: null,
      }),
    });
    const creating = this.#create(life.lock, {
      ...this.#parts.services,
      store,
      repository,
      clock: this.clock,
      random: (bytes) => random.bytes(bytes),
      log: this.#log(life),
      timings,
    });
    creating.then(
      (replica) => {
        if (!life.alive) return;
        this.#process = Object.assign(life, { store, replica });
        this.#parts.story.tell(this.name, restored ? "runs, on the last backup" : "runs");
        if (shared !== null) this.#repeat(this.#process, LOOK_MS, () => this.#look(replica));
        this.#repeat(this.#process, TICK_MS, () => replica.current().tick());
      },
      (cause: unknown) => this.#couldNotStart(life, cause),
    );
  }

  /** Ends the process wherever it stands. What it had asked of its store may have been done. */
  async crash(): Promise<void> {
    const life = this.#life;
    if (life === null) return;
    const hadSeat = this.isUp;
    life.alive = false;
    this.#life = null;
    this.#process = null;
    if (life.lock === null || hadSeat) this.#parts.watch.ended(this);
    this.#parts.story.tell(this.name, "crashes");
    this.doors.hangUp();
    await life.lock?.release();
    await life.inner.close();
  }

  #couldNotStart(life: Life, cause: unknown): void {
    const { time, watch } = this.#parts;
    if (!isAway(cause)) watch.wentWrong("the coordinator could not be started", { cause });
    if (!isAway(cause) || !life.alive) return;
    const again = async (): Promise<void> => {
      await this.crash();
      this.clock.after(RESTART_MS, () => time.must(time.outside(this.start())));
    };
    time.must(again());
  }

  #storeOf(life: Life): Store {
    const { time, random, storage, watch, shared } = this.#parts;
    return storeOfProcess(life.inner, {
      name: this.name,
      time,
      clock: this.clock,
      random,
      isAlive: () => life.alive,
      slowness: () => this.slowness,
      isReal: storage.kind === "sqlite",
      database: shared?.database ?? null,
      written: (changes, askedAt) => {
        this.writes += 1;
        if (takesSeat(changes)) this.satDownAt = time.now;
        watch.written(this, changes, { store: life.inner, askedAt, process: life });
      },
      broke: (cause) => watch.broke(cause),
    });
  }

  #lockOf(life: Life): SeatLock | null {
    const { random, shared } = this.#parts;
    const wait = (ms: number) =>
      new Promise<void>((resolve) => {
        this.clock.after(ms, () => {
          if (life.alive) resolve();
        });
      });
    const client = { name: this.name, random, wait, isAwake: () => !this.clock.isAsleep };
    return shared?.seat.lockOf(client) ?? null;
  }

  /** A coordinator by itself, or one of several. */
  async #create(lock: SeatLock | null, parts: Parts): Promise<Process["replica"]> {
    const { story, watch } = this.#parts;
    if (lock !== null)
      return createReplica(parts, lock, {
        changed: (hasSeat) => {
          story.tell(this.name, hasSeat ? "takes the seat" : "has lost the seat");
          watch.count(hasSeat ? "seat: taken" : "seat: lost");
          // That nothing was restored is known without waiting.
          if (hasSeat) {
            watch
              .began(this, parts.store, false)
              .catch((cause: unknown) => watch.wentWrong("began", { cause }));
          } else {
            watch.ended(this);
            this.doors.hangUp();
          }
        },
      });
    // As it is put together in `server-stub/assemble.ts`.
    const alone = await createCoordinator({ ...parts, store: rememberedStore(parts.store) });
    return { current: () => alone, hasSeat: () => true, look: () => Promise.resolve() };
  }

  async #look(replica: Pick<Replica, "look">): Promise<void> {
    this.leadsTo = this.decides();
    await replica.look();
  }

  #repeat(process: Process, everyMs: number, work: () => Promise<void>): void {
    const { watch } = this.#parts;
    const round = (): void => {
      if (!process.alive) return;
      work()
        .catch((cause: unknown) => {
          if (!process.alive) return;
          if (isAway(cause)) watch.count("tick: away");
          else watch.wentWrong("a tick of the engine failed", { cause });
        })
        .finally(() => this.clock.after(everyMs, round));
    };
    round();
  }

  #log(life: Life): Log {
    const { watch, story } = this.#parts;
    return {
      debug: () => undefined,
      info: (fields, message) => {
        if (message !== "lease refused" || !("code" in fields)) return;
        const { nodeId, code, reason } = fields as { nodeId?: string; code?: string; reason?: string };
        watch.count(`refused: ${code}`);
        if (story.isTold) story.tell(this.name, `refuses ${nodeId}: ${code}: ${reason}`);
      },
      warn: () => undefined,
      error: (fields, message) => {
        if (!life.alive) return;
        if ("err" in fields && isAway(fields.err)) watch.count("logged: away");
        else watch.wentWrong(message, fields);
      },
    };
  }
}
