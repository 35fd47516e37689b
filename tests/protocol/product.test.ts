import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PRODUCT_VERSION } from "../../protocol/product.ts";

test("the version that the programs tell is that of the package", async () => {
  const text = await readFile(join(import.meta.dirname, "../../package.json"), "utf8");
  expect(PRODUCT_VERSION).toBe((JSON.parse(text) as { version: string }).version);
});
