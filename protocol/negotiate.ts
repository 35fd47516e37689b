/**
 * Which protocol a session speaks. An agent says its own in `hello`; the coordinator answers with the lower of both,
 * or refuses one that is too old. Pure.
 * Source: docs/adr/0071-the-lower-of-both-protocols.md.
 */
import { OLDEST_PROTOCOL, PROTOCOL, type Welcome } from "./frames.ts";

/** What a coordinator of this source speaks with an agent of protocol `theirs`; null when that is too old. */
export const agreedProtocol = (theirs: number): number | null =>
  theirs < OLDEST_PROTOCOL ? null : Math.min(theirs, PROTOCOL);

/** What a welcome tells of it: nothing to an agent of protocol 1, which would not understand the member. */
export const welcomeProtocol = (agreed: number): Pick<Welcome, "protocol"> =>
  agreed < 2 ? {} : { protocol: agreed };

/** The protocol of the session that a welcome opens. */
export const protocolOfWelcome = (welcome: Welcome): number => Math.min(welcome.protocol ?? 1, PROTOCOL);
