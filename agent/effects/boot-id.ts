import { readFileSync } from "node:fs";

/** Identity of this boot of the machine: uptimes can be compared within it alone. Source: random(4). */
export const readBootId = (): string => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
