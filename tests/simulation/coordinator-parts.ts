/** What a coordinator's machine is made of, and who looks on. */
import type { AgentFrame, CoordinatorFrame } from "../../protocol/frames.ts";
import type { NodeId } from "../../protocol/names.ts";
import type { Principal } from "../../server-stub/service/coordinator.ts";
import type { Parts, Timings } from "../../server-stub/service/parts.ts";
import { ConnectionLost } from "../../server-stub/store/postgres/faults.ts";
import type { Change } from "../../server-stub/store/records.ts";
import { NotInSeat } from "../../server-stub/store/seated.ts";
import { StoreAway } from "../../server-stub/store/sql/transact.ts";
import type { Store } from "../../server-stub/store/store.ts";
import type { Builds } from "./builds.ts";
import type { MachineClock } from "./clock.ts";
import type { Database } from "./database.ts";
import type { Network } from "./network.ts";
import type { Random } from "./random.ts";
import type { Seat } from "./seat.ts";
import type { Storage } from "./storage.ts";
import type { Story } from "./story.ts";
import type { Time } from "./time.ts";

/** A machine of a coordinator, as who looks on needs to know it. */
export type Coordinating = {
  readonly name: string;
  readonly clock: MachineClock;
  readonly slowness: number;
};

/** Frames that were taken, and what they were answered with. */
export type Said = { readonly frames: readonly AgentFrame[]; readonly answers: readonly CoordinatorFrame[] };

export type CoordinatorWatch = {
  /** `askedAt`: by the uptime of that machine; `several`: it is one of several. */
  written(by: Coordinating, changes: readonly Change[], at: WrittenAt): void;
  /** A process has begun, or taken the seat; `restored`: on a backup. */
  began(by: Coordinating, store: Store, restored: boolean): Promise<void>;
  /** It has ended, or lost the seat. */
  ended(by: Coordinating): void;
  receiving(by: Coordinating, nodeId: NodeId, frames: readonly AgentFrame[]): void;
  received(by: Coordinating, nodeId: NodeId, said: Said): void;
  wentWrong(message: string, fields: object): void;
  broke(cause: Error): void;
  /** Something that a history may or may not have. */
  count(what: string): void;
};

export type WrittenAt = { readonly store: Store; readonly askedAt: number; readonly process: object };

/** What was put back in place under all of them: whoever starts first on it says so, as an operator would. */
export type PutBack = { isFresh: boolean; restores: number };

export type CoordinatorParts = {
  readonly time: Time;
  readonly network: Network;
  readonly random: Random;
  readonly story: Story;
  readonly storage: Storage;
  readonly builds: Builds;
  readonly timings: Timings;
  readonly rate: number;
  readonly watch: CoordinatorWatch;
  readonly name: string;
  /** Of several over one server one decides; null where there is but one, with a store of its own. */
  readonly shared: { readonly seat: Seat; readonly database: Database } | null;
  readonly backup: PutBack;
  /** What the services are made with besides. */
  readonly services: Partial<Pick<Parts, "webhooks" | "retention" | "streamsPerToken">>;
};

export const OPERATOR: Principal = {
  kind: "operator",
  id: "o-1",
  name: "ada",
  role: "admin",
  from: "127.0.0.1",
};

/** The store could not be reached, or somebody else decides by now: nobody's fault. */
export const isAway = (cause: unknown): boolean =>
  cause instanceof NotInSeat || cause instanceof StoreAway || cause instanceof ConnectionLost;
