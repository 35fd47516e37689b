/** The part of a logger that the door needs; pino's has it. */
export type LiveLog = Record<"debug" | "info" | "warn" | "error", (fields: object, message: string) => void>;
