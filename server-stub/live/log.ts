/** The part of a logger that the door needs; pino's has it. */
export type LiveLog = Record<"debug" | "info" | "warn" | "error", (fields: object, message: string) => void>;

/** The same logger, whose lines carry these fields as well. */
export const withFields = (log: LiveLog, fields: object): LiveLog => ({
  debug: (more, message) => log.debug({ ...fields, ...more }, message),
  info: (more, message) => log.info({ ...fields, ...more }, message),
  warn: (more, message) => log.warn({ ...fields, ...more }, message),
  error: (more, message) => log.error({ ...fields, ...more }, message),
});
