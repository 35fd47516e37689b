/** The id of a request: chosen by who asks or by the coordinator, answered with it, and in both sides' logs. */
export const REQUEST_ID_HEADER = "x-request-id";

/** What a caller may call its request: printable in a log as it is, and no longer than a line bears. */
const ACCEPTED = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

/** The id that a header gives; null when there is none, or one that is not fit for a log. */
export const acceptedRequestId = (header: unknown): string | null =>
  typeof header === "string" && ACCEPTED.test(header) ? header : null;
