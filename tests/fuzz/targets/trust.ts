/** Metadata that was tampered with on its way, through the agent's whole trust client. */
import fc from "fast-check";
import { refreshTrust } from "../../../agent/effects/trust/refresh.ts";
import { Client } from "../../trust/client.ts";
import { Simulator } from "../../trust/simulator.ts";
import { damaged, nastyText, nastyValue, toText } from "../generate/nasty.ts";
import { decent } from "../says.ts";
import type { Target } from "../target.ts";

const FILES = ["timestamp.json", "2.snapshot.json", "2.targets.json", "2.root.json"] as const;

/** What is done to a file, given as it was signed. */
const tampering: fc.Arbitrary<(signed: string) => fc.Arbitrary<string>> = fc.constantFrom(
  (signed: string) => damaged(fc.constant(signed)),
  () => fc.oneof(nastyText, nastyValue.map(toText)),
  (signed: string) => nastyValue.map((value) => signed.replace(/^\{/, `{"more":${toText(value)},`)),
  (signed: string) => nastyValue.map((value) => signed.replace('"_type"', `"more":${toText(value)},"_type"`)),
  (signed: string) =>
    fc
      .tuple(
        fc.constantFrom("signatures", "signed", "version", "expires", "meta", "targets", "keyid"),
        nastyValue,
      )
      .map(([member, value]) => signed.replace(`"${member}":`, `"${member}":${toText(value)},"x":`)),
);

export const targets: readonly Target[] = [
  {
    name: "metadata that was tampered with is refused in decent words, or says what the publisher signed",
    runs: 40,
    property: fc.asyncProperty(
      fc.constantFrom(...FILES),
      tampering,
      fc.integer(),
      async (file, tamper, seed) => {
        const sim = new Simulator();
        sim.release("1.1.0");
        sim.rotate("timestamp");
        sim.publish();
        const [text = ""] = fc.sample(tamper(String(sim.files.get(file))), { numRuns: 1, seed });
        sim.serve(file, text);
        const client = await Client.make(sim);
        client.pinnedRoot = sim.files.get("1.root.json") ?? Buffer.alloc(0);
        try {
          const result = await refreshTrust(client.options);
          decent(result);
          if (!result.ok) return;
          const versions = result.value.bundles.map(({ custom }) => custom.version).sort();
          if (versions.join() !== "1.0.0,1.1.0") throw new Error(`it trusts ${versions.join()}`);
        } finally {
          await client.remove();
        }
      },
    ),
  },
];
