/** The lock and the pokes of several coordinators, on a real PostgreSQL server. */
import { expect, test } from "vitest";
import { readAddress } from "../../../server-stub/store/postgres/address.ts";
import { createPokes } from "../../../server-stub/store/postgres/pokes.ts";
import { createSeatLock } from "../../../server-stub/store/postgres/seat-lock.ts";
import { freshDatabase } from "../../harness/postgres/of-this-run.ts";
import { onDatabase } from "./postgres-client.ts";

const quiet = { debug: () => undefined, warn: () => undefined };

async function freshAddress() {
  const url = await freshDatabase();
  const address = readAddress(url);
  if (!address.ok) throw new Error(address.error);
  return { url, address: address.value };
}

test("one has the seat; who waits is told when it is given up, and gets it when its holder says nothing more", async () => {
  const { address } = await freshAddress();
  const limits = { silentMs: 300, askMs: 5_000, connectMs: 5_000 };
  const freed = Promise.withResolvers<void>();
  const first = createSeatLock(address, quiet);
  const second = createSeatLock(address, quiet, freed.resolve);
  expect(await first.take()).toBe(true);
  expect(await second.take()).toBe(false);
  expect(await first.take()).toBe(true);
  await first.release();
  await freed.promise;
  expect(await first.take()).toBe(false);
  expect(await second.take()).toBe(true);
  await second.release();

  const silent = createSeatLock(address, quiet, () => undefined, limits);
  const third = createSeatLock(address, quiet);
  expect(await silent.take()).toBe(true);
  while (!(await third.take()));
  expect(await silent.take()).toBe(false);
  await Promise.all([silent.release(), third.release()]);
});

test("a connection that is lost is made anew, and whoever is first then has the seat", async () => {
  const { url, address } = await freshAddress();
  const lock = createSeatLock(address, quiet);
  expect(await lock.take()).toBe(true);
  await onDatabase(
    url,
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'baton seat' and datname = current_database()",
  );
  while (!(await lock.take()));
  await lock.release();
});

test("what one writes the others are told, also after their connection was lost without a word", async () => {
  const { url, address } = await freshAddress();
  let count = 0;
  let wake: () => void = () => undefined;
  const heard = async (before: number) => {
    while (count <= before) await new Promise<void>((resolve) => (wake = resolve));
  };
  const own: string[] = [];
  const teller = createPokes(address, quiet, () => own.push("heard"));
  const listener = createPokes(address, quiet, () => {
    count += 1;
    wake();
  });
  await Promise.all([teller.look(), listener.look()]);
  const before = count;
  teller.tell();
  await heard(before);
  await onDatabase(
    url,
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'baton events' and datname = current_database()",
  );
  const lost = count;
  while (count === lost) await listener.look();
  await teller.look();
  const again = count;
  teller.tell();
  await heard(again);
  expect(count).toBeGreaterThan(again);
  await Promise.all([teller.close(), listener.close()]);
});
