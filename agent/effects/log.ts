import pino from "pino";

/** Where the parts of the agent write what happened: fields first, one short sentence after. */
export type Log = {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** Never in a log, wherever they stand in the fields. */
const SECRETS = ["credential", "token.secret", "secret", "authorization", "headers.authorization"];

/**
 * The agent's log: one JSON line per event on standard error, written at once (no transport: those are worker
 * threads with files of their own, which a single bundled file does not have). `also` gets the same lines.
 */
export function createLog(
  level: LogLevel,
  fields: Readonly<Record<string, string>> = {},
  also: (line: string) => void = () => undefined,
): Log {
  const stderr = pino.destination({ fd: 2, sync: true });
  const write = (line: string): void => {
    stderr.write(line);
    also(line);
  };
  return pino(
    {
      level,
      base: fields,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: [...SECRETS, ...SECRETS.map((path) => `*.${path}`)], censor: "[redacted]" },
      serializers: { cause: pino.stdSerializers.err },
    },
    { write },
  );
}

/** For parts that are started without a place to log to. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
