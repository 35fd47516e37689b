import { stat } from "node:fs/promises";

const BITS = { read: 0o044, write: 0o022 } as const;

/** Whether others than its owner may read or write a file. */
export const othersMay = async (file: string, what: keyof typeof BITS): Promise<boolean> =>
  ((await stat(file)).mode & BITS[what]) !== 0;
