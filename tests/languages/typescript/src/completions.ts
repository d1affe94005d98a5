/** Text completions, plain and streamed, with the client that openapi-fetch makes of the contract's types. */

import { EventSourceParserStream } from "eventsource-parser/stream";
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "../build/api.js";
import { retryAfter } from "./headers.js";

export type CompletionRequest = components["schemas"]["CompletionRequest"];
export type Completion = components["schemas"]["Completion"];
export type Chunk = components["schemas"]["CompletionChunk"];

export interface Options {
  apiKey?: string;
  authToken?: string;
  baseUrl?: string;
}

export interface Headers {
  betas?: string[];
  workspaceId?: string;
}

/** What went wrong: the API's `error.type`, or `unknown`, `invalid` (no completion), `incomplete` (cut off). */
export class CompletionError extends Error {
  constructor(
    readonly kind: string,
    /** The API's own words, where there are any. */
    readonly detail: string | null,
    readonly response: Response,
    /** `request_id` of the body, for replies without the header. */
    private readonly bodyRequestId: string | null = null,
  ) {
    super(detail ? `${kind}: ${detail}` : kind);
  }

  get requestId(): string | null {
    return this.response.headers.get("request-id") ?? this.bodyRequestId;
  }

  /** Seconds. */
  get retryAfter(): number | null {
    return retryAfter(this.response.headers);
  }
}

export class Completions {
  private readonly client: Client<paths>;

  constructor({ apiKey, authToken, baseUrl = "https://api.anthropic.com" }: Options) {
    this.client = createClient<paths>({
      baseUrl,
      headers: {
        "x-api-key": apiKey,
        authorization: authToken && `Bearer ${authToken}`,
      },
    });
  }

  async create(body: CompletionRequest, headers: Headers = {}): Promise<Completion> {
    // As text: parsed here, so that a reply that is no JSON can be told from other failures.
    const { data, error, response } = await this.client.POST("/v1/complete", {
      params: { header: headerParameters(headers) },
      body,
      parseAs: "text",
    });
    if (error !== undefined || !response.ok) throw statusError(error, response);
    const completion = parse(data ?? "", response);
    if (isErrorBody(completion)) throw statusError(completion, response);
    if (!isCompletion(completion)) throw new CompletionError("invalid", null, response);
    return completion;
  }

  /** Yields the chunks; throws where the stream brings an error or ends before the text does. */
  async *stream(body: CompletionRequest, headers: Headers = {}): AsyncGenerator<Chunk> {
    const { data, error, response } = await this.client.POST("/v1/complete", {
      params: { header: headerParameters(headers) },
      body: { ...body, stream: true },
      parseAs: "stream",
    });
    if (error !== undefined || !data) throw statusError(error, response);
    if (!/^text\/event-stream *(;|$)/i.test(response.headers.get("content-type") ?? "")) {
      // An error or a completion as JSON, in place of the stream.
      const value = parse(await new Response(data).text(), response);
      if (isErrorBody(value)) throw statusError(value, response);
      if (!isCompletion(value)) throw new CompletionError("invalid", null, response);
      yield value;
      if (value.stop_reason === null) throw new CompletionError("incomplete", null, response);
      return;
    }

    let complete = false;
    const events = data
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new EventSourceParserStream());
    const reader = events.getReader();
    try {
      for (;;) {
        const { done, value: event } = await reader.read().catch((cause: unknown) => {
          throw Object.assign(new CompletionError("incomplete", null, response), { cause });
        });
        if (done) break;
        if (event.event !== undefined && event.event !== "completion" && event.event !== "error")
          continue;
        if (!event.event && event.data.trim() === "[DONE]") continue;
        const value = parse(event.data, response);
        if (event.event === "error" || isErrorBody(value))
          throw statusError(value, response);
        if (isChunk(value)) {
          complete ||= value.stop_reason != null;
          yield value;
        } else if (event.event === "completion" || "completion" in value) {
          throw new CompletionError("invalid", null, response);
        }
      }
    } finally {
      await reader.cancel().catch(() => {});
    }
    if (!complete) throw new CompletionError("incomplete", null, response);
  }
}

function headerParameters({ betas, workspaceId }: Headers) {
  return {
    "anthropic-version": "2023-06-01",
    ...(betas && { "anthropic-beta": betas }),
    ...(workspaceId && { "anthropic-workspace-id": workspaceId }),
  };
}

function statusError(body: unknown, response: Response): CompletionError {
  const error = isObject(body) && isObject(body.error) ? body.error : {};
  const requestId = isObject(body) && typeof body.request_id === "string" ? body.request_id : null;
  const kind = typeof error.type === "string" ? error.type : "unknown";
  return new CompletionError(
    kind,
    typeof error.message === "string" ? error.message : null,
    response,
    requestId,
  );
}

function parse(text: string, response: Response): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Left undefined, which is no object.
  }
  if (!isObject(value)) throw new CompletionError("invalid", null, response);
  return value;
}

// The generated types hold at compile time only; these look at what really came.

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether it is an error, whatever its status says. */
function isErrorBody(value: Record<string, unknown>): boolean {
  return isObject(value.error);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isChunk(value: Record<string, unknown>): value is Chunk {
  return (
    isText(value.completion) &&
    isText(value.stop_reason ?? "") &&
    isText(value.stop ?? "") &&
    [value.id, value.model, value.log_id].every((field) => field === undefined || isText(field)) &&
    (value.type === undefined || value.type === "completion")
  );
}

function isCompletion(value: Record<string, unknown>): value is Completion {
  return (
    isChunk(value) &&
    [value.id, value.model, value.type, value.stop_reason].every((field) => field !== undefined)
  );
}
