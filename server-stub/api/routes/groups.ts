import { CreateGroupRequest, EditGroupRequest, Group, GroupList } from "../../../protocol/group.ts";
import { GroupName } from "../../../protocol/names.ts";
import { PageQuery, pageOf } from "../../../protocol/paging.ts";
import { ok } from "../../../protocol/result.ts";
import { Type } from "../../../protocol/schema.ts";
import type { Coordinator } from "../../service/coordinator.ts";
import { groupTag } from "../../service/tags.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";

const params = Type.Object({ group: GroupName });

export const groupRoutes = ({ groups }: Pick<Coordinator, "groups">): readonly Endpoint[] => [
  endpoint({
    route: "GET /v1/groups",
    id: "listGroups",
    summary: "The groups, by name",
    callers: "operator",
    query: PageQuery,
    answer: GroupList,
    handle: async ({ query }) => {
      const page = pageOf(await groups.list(), ({ name }) => name, query);
      return page.ok ? ok({ groups: page.value.items, next: page.value.next }) : page;
    },
  }),
  endpoint({
    route: "POST /v1/groups",
    id: "createGroup",
    summary: "A new group; independent unless told otherwise",
    callers: "operator",
    body: CreateGroupRequest,
    answer: Group,
    status: 201,
    handle: ({ by, body }) => groups.create(by, body),
  }),
  endpoint({
    route: "GET /v1/groups/:group",
    id: "getGroup",
    summary: "One group with its lease",
    callers: "operator",
    params,
    answer: Group,
    etag: groupTag,
    handle: ({ params }) => groups.get(params.group),
  }),
  endpoint({
    route: "PATCH /v1/groups/:group",
    id: "editGroup",
    summary: "Change a group's mode or spare",
    callers: "operator",
    params,
    body: EditGroupRequest,
    answer: Group,
    etag: groupTag,
    handle: ({ by, params, body, ifMatch }) => groups.edit(by, params.group, body, ifMatch),
  }),
  endpoint({
    route: "DELETE /v1/groups/:group",
    id: "removeGroup",
    summary: "Remove a group that has no nodes and no unfinished rollout; its join tokens are revoked",
    callers: "operator",
    params,
    answer: Group,
    etag: groupTag,
    handle: ({ by, params, ifMatch }) => groups.remove(by, params.group, ifMatch),
  }),
];
