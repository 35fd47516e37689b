/** How a node must be when everything has come to rest. */
import { Journal } from "../../agent/core/journal.ts";
import { Floor } from "../../agent/effects/floor.ts";
import { parseJson } from "../../protocol/parse.ts";
import type { Node } from "./node.ts";
import type { Side } from "./story.ts";
import { linkAt, type Tree, textAt } from "./tree.ts";

/** What is not as it must be, or null. */
export function whatIsUnsettled(node: Node): string | null {
  const { story, coordinator, fixture, disk } = node;
  const { tree } = disk;
  const { lease, words } = coordinator;
  if (lease !== null) return `the lease is ${lease.phase}`;
  const wrong = words.find((word) => !story.words.includes(word));
  if (wrong !== undefined) return `the word ${wrong} was said`;
  const end = fixture[story.endsOn];
  if (linkAt(tree, "dist") !== end.link) return `dist names ${linkAt(tree, "dist")} and not ${end.link}`;
  if (words.includes("confirmed") !== story.words.includes("confirmed"))
    return `the words are ${words.join(", ")}`;
  const backup = linkAt(tree, "dist.bak");
  const before = fixture[story.backup].link;
  if (backup !== before) return `dist.bak names ${backup} and not ${before}`;
  return journalAtRest(tree, story.endsOn) ?? otherFiles(node);
}

function journalAtRest(tree: Tree, endsOn: Side): string | null {
  const journal = parseJson(Journal, textAt(tree, "state/journal.json") ?? "", "journal.json");
  if (!journal.ok) return journal.error.message;
  const { phase, finalWords, hold } = journal.value;
  if (phase.kind !== "idle") return `the journal says ${phase.kind}`;
  if (finalWords.length > 0) return "a last word is still to be said";
  if (hold !== (endsOn === "z")) return `the hold is ${hold}`;
  return null;
}

/** Everything that may be there, and nothing else: whatever a crash has left is gone. */
function otherFiles({ disk: { tree }, fixture, story }: Node): string | null {
  const inUse = ["dist", "dist.bak"].map((link) => linkAt(tree, link) ?? "");
  const isOurs = (path: string): boolean =>
    inUse.some((release) => path === release || path.startsWith(`${release}/`)) || PLAIN.test(path);
  const set = linkAt(tree, "state/tuf/current") ?? "";
  const condemned = `state/quarantine/${fixture.b.build.buildHash}`;
  for (const path of tree.keys()) {
    if (isOurs(path) || path === condemned || path.startsWith(`state/tuf/${set}`)) continue;
    return `${path} is left over`;
  }
  for (const release of inUse) {
    if ([...tree.keys()].some((path) => path.startsWith(`${release}/`) && path.endsWith(".tmp")))
      return `a temporary file is left in ${release}`;
  }
  if (tree.has(condemned) !== story.quarantined)
    return story.quarantined ? "the build is not quarantined" : "the build is quarantined";
  const floor = parseJson(Floor, textAt(tree, "state/floor.json") ?? "", "floor.json");
  const risen = ["b", "c"].includes(story.endsOn) ? fixture.b.minVersion : fixture.y.build.version;
  if (!floor.ok || floor.value.minVersion !== risen) return `the floor is not ${risen}`;
  return null;
}

const PLAIN =
  /^(dist|dist\.bak|releases|download|state(\/(journal\.json|floor\.json|trust-floor\.json|quarantine|tuf|tuf\/current|jobs|jobs\/j-[0-9a-z]{12}\.jsonl))?)$/;
