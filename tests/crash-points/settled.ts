/** How a node must be when everything has come to rest. */
import { Journal } from "../../agent/core/journal.ts";
import { Floor } from "../../agent/effects/floor.ts";
import { parseJson } from "../../protocol/parse.ts";
import type { Node } from "./node.ts";
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
  const { hold, why } = journalAtRest(tree);
  if (why !== null) return why;
  if (hold !== (story.endsOn === "z")) return `the hold is ${hold}`;
  return whatIsLitter(node) ?? otherFacts(node);
}

/**
 * What must not be there at rest after a disk has failed, or null. What was prepared may lie there to be tried again, and
 * what could not be removed goes when the next update has ended.
 */
export function whatIsLeftOver(node: Node): string | null {
  const { fixture } = node;
  const links = [fixture.y, fixture.z, fixture.a, fixture.b].map(({ link }) => link);
  const mayStay = (path: string): boolean =>
    links.some((link) => path === link || path.startsWith(`${link}/`)) || RETRIED.test(path);
  return journalAtRest(node.disk.tree).why ?? whatIsLitter(node, mayStay);
}

function journalAtRest(tree: Tree): { readonly hold: boolean; readonly why: string | null } {
  const text = textAt(tree, "state/journal.json");
  if (text === null) return { hold: false, why: null };
  const journal = parseJson(Journal, text, "journal.json");
  if (!journal.ok) return { hold: false, why: journal.error.message };
  const { phase, finalWords, hold } = journal.value;
  if (phase.kind !== "idle") return { hold, why: `the journal says ${phase.kind}` };
  return { hold, why: finalWords.length > 0 ? "a last word is still to be said" : null };
}

/** Everything that may be there, and nothing else: whatever a crash has left is gone. */
function whatIsLitter(
  { disk: { tree }, fixture, story }: Node,
  more = (_path: string) => false,
): string | null {
  const inUse = ["dist", "dist.bak"].map((link) => linkAt(tree, link) ?? "");
  const isOurs = (path: string): boolean =>
    inUse.some((release) => path === release || path.startsWith(`${release}/`)) || PLAIN.test(path);
  const set = linkAt(tree, "state/tuf/current") ?? "";
  const condemned = [fixture.b, ...(story.mayCondemnZ ? [fixture.z] : [])].map(
    ({ build }) => `state/quarantine/${build.buildHash}`,
  );
  for (const path of tree.keys()) {
    if (path.endsWith(".tmp") && !more(path)) return `${path}, a temporary file, is left`;
    if (isOurs(path) || condemned.includes(path) || path.startsWith(`state/tuf/${set}`) || more(path))
      continue;
    return `${path} is left over`;
  }
  return null;
}

function otherFacts({ disk: { tree }, fixture, story }: Node): string | null {
  const condemned = `state/quarantine/${fixture.b.build.buildHash}`;
  if (tree.has(condemned) !== story.quarantined)
    return story.quarantined ? "the build is not quarantined" : "the build is quarantined";
  const floor = parseJson(Floor, textAt(tree, "state/floor.json") ?? "", "floor.json");
  const risen = ["b", "c"].includes(story.endsOn) ? fixture.b.minVersion : fixture.y.build.version;
  if (!floor.ok || floor.value.minVersion !== risen) return `the floor is not ${risen}`;
  return null;
}

const RETRIED = /^(download\/[0-9a-f]{64}\.(part|etag)|state\/tuf\/(set-|\.current\.tmp$).*)$/;

const PLAIN =
  /^(dist|dist\.bak|releases|download|state(\/(journal\.json|floor\.json|trust-floor\.json|quarantine|tuf|tuf\/current|jobs|jobs\/j-[0-9a-z]{12}\.jsonl))?)$/;
