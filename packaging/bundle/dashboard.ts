import { join } from "node:path";
import { build, type Plugin } from "vite";

/** Libraries that belong to the server: types of them are welcome in the browser, they themselves are not. */
const NOT_IN_A_BROWSER = /node_modules\/(typebox|undici|ws|kysely|fastify)\//;

/**
 * Builds the dashboard's static files: hashed names, nothing inline, nothing from elsewhere. Throws when the sources
 * bring in what has no business in a browser.
 */
export async function buildDashboard(root: string, outDir: string): Promise<void> {
  await build({
    root: join(root, "server-stub/web"),
    configFile: false,
    logLevel: "warn",
    publicDir: false,
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    plugins: [noServerCode],
    build: {
      outDir,
      emptyOutDir: true,
      target: ["chrome120", "firefox121", "safari17.2"],
      // An inline file would be one that the content security policy refuses.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      cssCodeSplit: false,
      reportCompressedSize: false,
    },
  });
}

const noServerCode: Plugin = {
  name: "no-server-code",
  generateBundle(_, bundle) {
    const modules = Object.values(bundle).flatMap((file) =>
      file.type === "chunk" ? Object.entries(file.modules) : [],
    );
    const foreign = modules.find(
      ([id, { code }]) => NOT_IN_A_BROWSER.test(id) && code !== null && code !== "",
    );
    if (foreign !== undefined)
      throw new Error(`The dashboard brings in ${foreign[0]}: import types only from protocol/.`);
  },
};
