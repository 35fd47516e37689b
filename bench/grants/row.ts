import { Agent } from "undici";
import { readAddress } from "../../server-stub/store/postgres/address.ts";
import { openPostgresStore } from "../../server-stub/store/postgres/open.ts";
import { startPostgres } from "../../tests/harness/postgres/server.ts";
import { alternate } from "../alternate.ts";
import { joinAll, rate, takeTurns } from "../leases/turns.ts";
import type { Row } from "../row.ts";
import { spreadOf } from "../spread.ts";
import { startFleet } from "../stage.ts";
import { openRawGrants } from "./raw.ts";

const TURNS = 5;
/** Groups that update at the same time, three voters each. */
const GROUPS = 8;
const VOTERS = 3;
/** In every group, in every turn. */
const CYCLES = 40;

/**
 * Cycles of the lease that a coordinator grants on PostgreSQL: several groups at once, over HTTP, every step durable
 * before it is answered. Beside it, the same three transactions, each a compare-and-set on the group's row with what
 * belongs to it, one after the other by bare `pg`, on the same server: as one writer does them.
 */
export const grantsRow: Row = {
  names: ["grants"],
  seconds: 40,
  waits: false,
  measure: async (world) => {
    const { atEnd } = world;
    // As a server is: it waits for the disk.
    const server = await startPostgres({
      settings: ["fsync = on", "full_page_writes = on", "shared_buffers = 128MB"],
    });
    atEnd(() => server.stop());
    await server.sql("create database coordinator");
    await server.sql("create database raw");
    const fleet = await startFleet(world, {
      coordinator: `[database]\nurl = "${server.url("coordinator")}"`,
    });
    const raw = await openRawGrants(await withTables(server.url("raw")));
    atEnd(() => raw.close());
    const dispatcher = new Agent({ keepAliveTimeout: 60_000 });
    atEnd(() => dispatcher.destroy());
    const groups = await joinAll(fleet, dispatcher, { groups: GROUPS, voters: VOTERS });
    const { a, b } = await alternate(
      TURNS,
      async () => {
        await Promise.all(groups.flat().map((node) => node.sayIdle()));
        return rate(GROUPS * CYCLES, () => Promise.all(groups.map((nodes) => takeTurns(nodes, CYCLES, []))));
      },
      () =>
        rate(GROUPS * CYCLES, async () => {
          for (let done = 0; done < GROUPS * CYCLES; done += 1) await raw.cycle();
        }),
    );
    return [
      {
        name: "grants",
        what: `on PostgreSQL: reserve, commit, confirm over HTTP, ${GROUPS} groups at once`,
        beside: "the same three transactions by bare pg",
        unit: "per second",
        value: spreadOf(a),
        peer: spreadOf(b),
        bound: 0.4,
        better: "higher",
      },
    ];
  },
};

/** A database with the coordinator's tables and nothing in them. */
async function withTables(url: string): Promise<string> {
  const address = readAddress(url);
  if (!address.ok) throw new Error(address.error);
  const store = await openPostgresStore(address.value);
  if (!store.ok) throw new Error(store.error.message);
  await store.value.store.close();
  return url;
}
