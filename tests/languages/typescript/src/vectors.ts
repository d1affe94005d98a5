/** Runs the vectors against the vector server; see ../../server.py. */

import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import {
  AI_PROMPT,
  CompletionError,
  Completions,
  type CompletionRequest,
  HUMAN_PROMPT,
} from "./completions.js";

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
  completion?: object;
  error?: ErrorVector;
}

interface StreamVector {
  name: string;
  reply: { status: number };
  texts: string[];
  end?: { stop_reason: string; stop: string | null };
  error?: ErrorVector;
}

const { VECTORS, VECTORS_URL } = process.env;
const PROMPT: CompletionRequest = {
  model: "claude-2.1",
  max_tokens_to_sample: 256,
  prompt: `${HUMAN_PROMPT} Hello, world!${AI_PROMPT}`,
};

let failures = 0;

async function run<Vector extends { name: string }>(
  group: string,
  check: (vector: Vector, baseUrl: string) => Promise<[expected: unknown, actual: unknown]>,
  file = group,
): Promise<number> {
  const vectors: Vector[] = JSON.parse(readFileSync(`${VECTORS}/${file}.json`, "utf8"))[group];
  for (const [index, vector] of vectors.entries()) {
    const [expected, actual] = await check(vector, `${VECTORS_URL}/${group}/${index}`).catch(
      (error: unknown) => ["no exception", error],
    );
    if (isDeepStrictEqual(expected, actual)) continue;
    failures++;
    console.error(`typescript: ${group}: ${vector.name}\n  expected`, expected, "\n  got", actual);
  }
  return vectors.length;
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

async function checkMarker(vector: MarkerVector): Promise<[unknown, unknown]> {
  const markers: Record<string, string> = { HUMAN_PROMPT, AI_PROMPT };
  return [vector.hex, Buffer.from(markers[vector.name] ?? "").toString("hex")];
}

async function checkRequest(vector: RequestVector, baseUrl: string): Promise<[unknown, unknown]> {
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

async function checkReply(vector: ReplyVector, baseUrl: string): Promise<[unknown, unknown]> {
  const expected = vector.error
    ? expectedError(vector.error, vector.reply.status)
    : vector.completion;
  return [
    expected,
    await new Completions({ apiKey: "key", baseUrl }).create(PROMPT).catch(errorFields),
  ];
}

async function checkStream(vector: StreamVector, baseUrl: string): Promise<[unknown, unknown]> {
  const expected = {
    texts: vector.texts,
    end: vector.error ? expectedError(vector.error, vector.reply.status) : vector.end,
  };
  const texts: string[] = [];
  let end: object = {};
  try {
    for await (const chunk of new Completions({ apiKey: "key", baseUrl }).stream(PROMPT)) {
      texts.push(chunk.completion);
      if (chunk.stop_reason != null)
        end = { stop_reason: chunk.stop_reason, stop: chunk.stop ?? null };
    }
  } catch (error) {
    end = errorFields(error);
  }
  return [expected, { texts, end }];
}

const markers = await run("markers", checkMarker, "constants");
const requests = await run("requests", checkRequest);
const replies = await run("replies", checkReply);
const streams = await run("streams", checkStream);
if (failures) {
  console.error(`typescript: ${failures} vectors failed`);
  process.exit(1);
}
console.log(
  `typescript: ${markers} marker, ${requests} request, ${replies} reply, ${streams} stream vectors passed`,
);
