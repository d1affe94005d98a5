/** What a reply's headers say: how long to wait, whether to try again, which limits there are. */

/** No wait is longer than a year, in seconds. */
const LONGEST = 366 * 24 * 3600;

/** Returns the seconds that the service asks to wait, or null where it asks nothing sensible. */
export function retryAfter(headers: Headers, now = Date.now()): number | null {
  const milliseconds = number(headers.get("retry-after-ms"));
  if (milliseconds !== null) return sensible(milliseconds / 1000);
  const value = headers.get("retry-after");
  if (value === null) return null;
  const seconds = number(value);
  // Date.parse takes almost anything; HTTP demands this one form of senders.
  if (seconds === null && /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(value))
    return sensible((Date.parse(value) - now) / 1000);
  return sensible(seconds);
}

/**
 * Returns the seconds before another attempt, or null where there shall be none.
 *
 * `status` is null where the connection failed before a reply.
 */
export function retryWait(
  status: number | null,
  headers: Headers,
  retriesTaken: number,
  random = Math.random(),
  now = Date.now(),
): number | null {
  const wish = headers.get("x-should-retry");
  const byStatus = status === null || [408, 409, 429].includes(status) || status >= 500;
  const retried = wish === "true" || (byStatus && wish !== "false");
  if (!retried) return null;
  return retryAfter(headers, now) ?? Math.min(0.5 * 2 ** retriesTaken, 8) * (1 - 0.25 * random);
}

export interface RateLimit {
  limit: number | null;
  remaining: number | null;
  /** When the limit is full again. */
  reset: Date | null;
}

export type Limited = "requests" | "tokens" | "input_tokens" | "output_tokens";

/** Returns the limits that the headers tell; null for those of which they tell nothing. */
export function rateLimits(headers: Headers): Record<Limited, RateLimit | null> {
  return {
    requests: rateLimit(headers, "requests"),
    tokens: rateLimit(headers, "tokens"),
    input_tokens: rateLimit(headers, "input-tokens"),
    output_tokens: rateLimit(headers, "output-tokens"),
  };
}

function rateLimit(headers: Headers, kind: string): RateLimit | null {
  const [limit, remaining, reset] = ["limit", "remaining", "reset"].map((part) =>
    headers.get(`anthropic-ratelimit-${kind}-${part}`),
  );
  if (!limit && !remaining && !reset) return null;
  return { limit: count(limit), remaining: count(remaining), reset: time(reset) };
}

function count(value: string | null | undefined): number | null {
  return value && /^\d{1,15}$/.test(value) ? Number(value) : null;
}

function time(value: string | null | undefined): Date | null {
  const hasZone = value && /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(value);
  return hasZone && !Number.isNaN(Date.parse(value)) ? new Date(value) : null;
}

function number(value: string | null): number | null {
  return value && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : null;
}

function sensible(seconds: number | null): number | null {
  return seconds !== null && seconds > 0 && seconds <= LONGEST ? seconds : null;
}
