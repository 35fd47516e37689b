import { type Static, Type } from "./schema.ts";

/** Free words that an operator puts on a node, such as `owner` or `rack`. */
export const Labels = Type.Record(
  Type.String({ pattern: "^[a-zA-Z0-9._/-]{1,63}$" }),
  Type.String({ maxLength: 255 }),
);
export type Labels = Static<typeof Labels>;
