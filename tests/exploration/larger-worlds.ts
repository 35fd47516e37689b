/** Those that `npm run test:proof` searches: two misfortunes at once, or more. Minutes, and up to 2 GiB of memory. */
import type { Beginning } from "./worlds.ts";

const ONE = ["update", null, null] as const;
const TWO = ["update", "update", null] as const;

export const LARGER_WORLDS: Readonly<Record<string, Beginning>> = {
  "one update, a crash, a late message": { jobs: ONE, faults: { crash: 1, late: 1 } },
  "one update, a crash, a message that comes twice": { jobs: ONE, faults: { crash: 1, copy: 1 } },
  "one update, a crash, a restart of the coordinator": { jobs: ONE, faults: { crash: 1, restart: 1 } },
  "one update, two late messages": { jobs: ONE, faults: { late: 2 } },
  "one update, two crashes, a suspend": { jobs: ONE, faults: { crash: 2, sleep: 1 } },
  "one update, a crash, a stop, a suspend": { jobs: ONE, faults: { crash: 1, stop: 1, sleep: 1 } },
  "one update, a late message, a suspend, a break": { jobs: ONE, faults: { late: 1, sleep: 1, break: 1 } },
  "one update, a crash, a backup and a restore": { jobs: ONE, faults: { crash: 1, backup: 1, restore: 1 } },
  "one update, a late message, a restart": { jobs: ONE, faults: { late: 1, restart: 1 } },
  "one rollback, two crashes, a stop": { jobs: ["rollback", null, null], faults: { crash: 2, stop: 1 } },
  "two updates, a late message": { jobs: TWO, faults: { late: 1 } },
  "two updates, a restart of the coordinator": { jobs: TWO, faults: { restart: 1 } },
  "two updates, a backup and a restore": { jobs: TWO, faults: { backup: 1, restore: 1 } },
  "two updates, a crash, a removal": { jobs: TWO, faults: { crash: 1, remove: 1 } },
  "two updates, a suspend, a break": { jobs: TWO, faults: { sleep: 1, break: 1 } },
  "two updates, a crash, time that passes": { jobs: TWO, faults: { crash: 1, pause: 1 } },
  "two updates, a crash, time that passes, a break": { jobs: TWO, faults: { crash: 1, pause: 1, break: 1 } },
  "two updates, a leader, a crash, an election": { jobs: TWO, faults: { crash: 1, elect: 1 }, leader: 0 },
  "a rollback and an update, a crash": { jobs: ["rollback", "update", null], faults: { crash: 1 } },
  "three updates, a crash": { jobs: ["update", "update", "update"], faults: { crash: 1 } },
};
