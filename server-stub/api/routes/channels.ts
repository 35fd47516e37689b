import { ChannelName } from "../../../protocol/names.ts";
import { PageQuery, pageOf } from "../../../protocol/paging.ts";
import { Channel, ChannelList, EditChannelRequest, PromoteRequest } from "../../../protocol/policy.ts";
import { ok } from "../../../protocol/result.ts";
import { Type } from "../../../protocol/schema.ts";
import type { Coordinator } from "../../service/coordinator.ts";
import { channelTag } from "../../service/tags.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";

const params = Type.Object({ channel: ChannelName });

export const channelRoutes = ({ channels }: Pick<Coordinator, "channels">): readonly Endpoint[] => [
  endpoint({
    route: "GET /v1/channels",
    id: "listChannels",
    summary: "The channels, by name",
    callers: "operator",
    query: PageQuery,
    answer: ChannelList,
    handle: async ({ query }) => {
      const page = pageOf(await channels.list(), ({ name }) => name, query);
      return page.ok ? ok({ channels: page.value.items, next: page.value.next }) : page;
    },
  }),
  endpoint({
    route: "GET /v1/channels/:channel",
    id: "getChannel",
    summary: "One channel, and the release that it is at",
    callers: "operator",
    params,
    answer: Channel,
    etag: channelTag,
    handle: ({ params }) => channels.get(params.channel),
  }),
  endpoint({
    route: "PUT /v1/channels/:channel",
    id: "putChannel",
    summary: "Make a channel, or change what a promotion to it does; what is absent stays",
    callers: "operator",
    params,
    body: EditChannelRequest,
    answer: Channel,
    etag: channelTag,
    handle: ({ by, params, body, ifMatch }) => channels.put(by, params.channel, body, ifMatch),
  }),
  endpoint({
    route: "DELETE /v1/channels/:channel",
    id: "removeChannel",
    summary: "Remove a channel that no group follows",
    callers: "operator",
    params,
    answer: Channel,
    etag: channelTag,
    handle: ({ by, params, ifMatch }) => channels.remove(by, params.channel, ifMatch),
  }),
  endpoint({
    route: "POST /v1/channels/:channel/promote",
    id: "promoteRelease",
    summary: "Move a channel to a release; starts a rollout if the channel says so",
    callers: "operator",
    params,
    body: PromoteRequest,
    answer: Channel,
    handle: ({ by, params, body }) => channels.promote(by, params.channel, body),
  }),
];
