/** Runs the vectors against the vector server; see ../../server.py. */

import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { CompletionError, Completions, type CompletionRequest } from "./completions.js";
import {
  checkReplyConversion,
  checkRequestConversion,
  checkStopConversion,
  checkStreamConversion,
} from "./conversion-vectors.js";
import { rateLimits, retryAfter, retryWait } from "./headers.js";
import { AI_PROMPT, build, HUMAN_PROMPT, parse, type Turn, validate, type Verdict } from "./prompts.js";

interface ErrorVector {
  kind: string;
  message: string | null;
  request_id: string | null;
  retry_after?: number;
}

interface MarkerVector {
  name: string;
  hex: string;
}

interface RequestVector {
  name: string;
  credentials: { api_key?: string; auth_token?: string };
  arguments: CompletionRequest & { betas?: string[]; workspace_id?: string };
}

interface ReplyVector {
  name: string;
  reply: { status: number };
  completion?: { completion: string };
  error?: ErrorVector;
}

interface StreamVector {
  name: string;
  reply: { status: number };
  texts: string[];
  end?: { stop_reason: string; stop: string | null };
  error?: ErrorVector;
}

interface RetryAfterVector {
  name: string;
  headers: Record<string, string>;
  seconds: number | null;
}

interface RetryVector {
  name: string;
  status: number | null;
  headers: Record<string, string>;
  retries_taken: number;
  random: number;
  wait: number | null;
}

interface RateLimitVector {
  name: string;
  headers: Record<string, string>;
  rate_limits: object;
}

interface ValidateVector extends Verdict {
  name: string;
  prompt: string;
}

interface ParseVector {
  name: string;
  prompt: string;
  system: string;
  turns: Turn[];
}

interface BuildVector {
  name: string;
  turns: { role: string; content: string }[];
  open_turn?: boolean;
  allow_markers?: boolean;
  prompt?: string;
}

const { VECTORS, VECTORS_URL } = process.env;
const PROMPT: CompletionRequest = {
  model: "claude-2.1",
  max_tokens_to_sample: 256,
  prompt: `${HUMAN_PROMPT} Hello, world!${AI_PROMPT}`,
};

let passed = 0;
let failures = 0;

function read(file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(`${VECTORS}/${file}.json`, "utf8"));
}

async function run<Vector extends { name: string }>(
  group: string,
  check: (vector: Vector, baseUrl: string) => Promise<Outcome> | Outcome,
  file = group,
): Promise<void> {
  for (const [index, vector] of (read(file)[group] as Vector[]).entries()) {
    const url = `${VECTORS_URL}/${group}/${index}`;
    const [expected, actual] = await new Promise<Outcome>((done) => done(check(vector, url))).catch(
      (error: unknown): Outcome => ["no exception", error],
    );
    if (isDeepStrictEqual(expected, actual)) {
      passed++;
      continue;
    }
    failures++;
    console.error(`typescript: ${group}: ${vector.name}\n  expected`, expected, "\n  got", actual);
  }
}

type Outcome = [expected: unknown, actual: unknown];

/** The text with U+FFFD in place of each half of a surrogate pair. */
function wellFormed(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text));
}

/** The part of an error that a vector speaks of; anything but a CompletionError is thrown on. */
function errorFields(error: unknown): object {
  if (!(error instanceof CompletionError)) throw error;
  const { kind, detail, requestId, retryAfter, response } = error;
  return {
    kind,
    message: detail,
    request_id: requestId,
    retry_after: retryAfter,
    status: response.status,
  };
}

function expectedError(error: ErrorVector, status: number): object {
  const { kind, message, request_id, retry_after = null } = error;
  return { kind, message, request_id, retry_after, status };
}

function checkMarker(vector: MarkerVector): Outcome {
  const markers: Record<string, string> = { HUMAN_PROMPT, AI_PROMPT };
  return [vector.hex, Buffer.from(markers[vector.name] ?? "").toString("hex")];
}

async function checkRequest(vector: RequestVector, baseUrl: string): Promise<Outcome> {
  const { api_key: apiKey, auth_token: authToken } = vector.credentials;
  const completions = new Completions({
    ...(apiKey && { apiKey }),
    ...(authToken && { authToken }),
    baseUrl,
  });
  const { betas, workspace_id: workspaceId, ...body } = vector.arguments;
  const headers = { ...(betas && { betas }), ...(workspaceId && { workspaceId }) };
  if (body.stream) {
    for await (const chunk of completions.stream(body, headers)) void chunk;
  } else {
    await completions.create(body, headers);
  }
  return [true, true]; // the server answers a wrong request with an error
}

async function checkReply(vector: ReplyVector, baseUrl: string): Promise<Outcome> {
  const expected = vector.error
    ? expectedError(vector.error, vector.reply.status)
    : vector.completion;
  const actual = await new Completions({ apiKey: "key", baseUrl })
    .create(PROMPT)
    .then((reply) => ({ ...reply, completion: wellFormed(reply.completion) }))
    .catch(errorFields);
  return [expected, actual];
}

async function checkStream(vector: StreamVector, baseUrl: string): Promise<Outcome> {
  const expected = {
    texts: vector.texts,
    end: vector.error ? expectedError(vector.error, vector.reply.status) : vector.end,
  };
  const texts: string[] = [];
  let end: object = {};
  try {
    for await (const chunk of new Completions({ apiKey: "key", baseUrl }).stream(PROMPT)) {
      texts.push(wellFormed(chunk.completion));
      if (chunk.stop_reason != null)
        end = { stop_reason: chunk.stop_reason, stop: chunk.stop ?? null };
    }
  } catch (error) {
    end = errorFields(error);
  }
  return [expected, { texts, end }];
}

const NOW = Date.parse(read("retries").now as string);

function checkRetryAfter(vector: RetryAfterVector): Outcome {
  return [vector.seconds, retryAfter(new Headers(vector.headers), NOW)];
}

function checkRetry(vector: RetryVector): Outcome {
  const { status, headers, retries_taken, random } = vector;
  return [vector.wait, retryWait(status, new Headers(headers), retries_taken, random, NOW)];
}

function checkRateLimit(vector: RateLimitVector): Outcome {
  const limits = JSON.stringify(rateLimits(new Headers(vector.headers)));
  return [vector.rate_limits, JSON.parse(limits.replaceAll('.000Z"', 'Z"'))];
}

function checkValidate({ prompt, ok, reason, message, sanitised }: ValidateVector): Outcome {
  return [ok ? { ok, sanitised } : { ok, reason, message, sanitised }, validate(prompt)];
}

function checkParse({ prompt, system, turns }: ParseVector): Outcome {
  return [{ system, turns }, parse(prompt)];
}

function checkBuild(vector: BuildVector): Outcome {
  const options = { openTurn: vector.open_turn ?? true, allowMarkers: vector.allow_markers ?? false };
  try {
    return [vector.prompt, build(vector.turns, options)];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return [vector.prompt, undefined]; // a vector without a prompt is refused
  }
}

await run("markers", checkMarker, "constants");
await run("requests", checkRequest);
await run("replies", checkReply);
await run("streams", checkStream);
await run("retry_after", checkRetryAfter, "retries");
await run("retries", checkRetry);
await run("rate_limits", checkRateLimit);
await run("validate", checkValidate, "prompts");
await run("parse", checkParse, "prompts");
await run("build", checkBuild, "prompts");
await run("requests", checkRequestConversion, "messages");
await run("replies", checkReplyConversion, "messages");
await run("streams", checkStreamConversion, "messages");
await run("stops", checkStopConversion, "messages");
if (failures) {
  console.error(`typescript: ${failures} vectors failed`);
  process.exit(1);
}
console.log(`typescript: ${passed} vectors passed`);
