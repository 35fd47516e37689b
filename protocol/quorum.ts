/** Quorum arithmetic of a Raft-like group. Source: Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm", 5.1. */

/** The fewest voters that make a majority of `voters`. */
export const quorumOf = (voters: number): number => Math.floor(voters / 2) + 1;

/** Serving voters to keep beyond the quorum by default: none for three and four voters, one from five on. */
export const defaultSpare = (voters: number): number => (voters >= 5 ? 1 : 0);
