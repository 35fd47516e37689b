import { NodeId } from "../../protocol/names.ts";
import { Node } from "../../protocol/node.ts";
import { err, ok, type Result } from "../../protocol/result.ts";
import { Value } from "../../protocol/schema.ts";
import { type ApiClient, type ApiFault, path } from "./client.ts";
import { everything } from "./everything.ts";

/** The node that a person means: by its id or by its name. */
export async function findNode(api: ApiClient, named: string): Promise<Result<Node, ApiFault>> {
  const isId: boolean = Value.Check(NodeId, named);
  if (isId) {
    return api.call({ path: path("v1", "nodes", named), answer: Node });
  }
  const nodes = await everything(api, ["v1", "nodes"], "nodes", Node);
  if (!nodes.ok) return nodes;
  const found = nodes.value.find(({ name }) => name === named);
  if (found !== undefined) return ok(found);
  return err({
    code: "not-found",
    message: `There is no node called ${named}.`,
    hint: "List them with: baton nodes.",
  });
}

/** Names by ids, for lists of what is about nodes. Empty when they cannot be read: the ids are shown then. */
export async function nodeNames(api: ApiClient): Promise<ReadonlyMap<string, string>> {
  const nodes = await everything(api, ["v1", "nodes"], "nodes", Node);
  return new Map(nodes.ok ? nodes.value.map(({ id, name }) => [id, name]) : []);
}
