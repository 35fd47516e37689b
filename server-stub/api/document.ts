import pino from "pino";
import type { Coordinator } from "../service/coordinator.ts";
import { identifyAsLocal } from "./authorize.ts";
import { createApi } from "./server.ts";

/** The OpenAPI document of this source, without a coordinator behind it and without listening anywhere. */
export async function openApiDocument(version: string): Promise<object> {
  const app = createApi({
    // Routes are only registered, never called.
    coordinator: {} as Coordinator,
    identify: identifyAsLocal,
    log: pino({ level: "silent" }),
    version,
    tuf: { metadataDir: "", targetsDir: "" },
    insecureHttp: false,
    publicUrl: () => "",
    rootFingerprint: () => null,
    installTrust: () => Promise.reject(new Error("never called")),
  });
  await app.ready();
  const document = app.swagger();
  await app.close();
  return document;
}
