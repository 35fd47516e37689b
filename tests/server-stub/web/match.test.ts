import { expect, test } from "vitest";
import { match } from "../../../server-stub/web/router/match.ts";

test.each([
  ["/", "/", {}],
  ["/nodes", "/nodes", {}],
  ["/nodes", "/nodes/", {}],
  ["/nodes/:nodeId", "/nodes/n-1", { nodeId: "n-1" }],
  ["/groups/:group", "/groups/a%20b", { group: "a b" }],
  ["/nodes/:nodeId", "/nodes", null],
  ["/nodes/:nodeId", "/nodes/", null],
  ["/nodes/:nodeId", "/nodes/n-1/more", null],
  ["/nodes/:nodeId", "/nodes/%E0%A4%A", null],
])("%s and %s: %o", (pattern, path, params) => {
  expect(match(pattern, path)).toEqual(params);
});
