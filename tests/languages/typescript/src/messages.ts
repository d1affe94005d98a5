/** Replies and streams of Messages as completions. */

import { HUMAN_PROMPT } from "./prompts.js";

type Json = Record<string, unknown>;

export interface Options {
  /** Whether to put a space before text that does not begin with white space. */
  leadingSpace?: boolean;
  /** Text to take off the beginning of the answer, exactly or up to white space. */
  beginning?: string;
}

/** A message that has no counterpart among completions; `reason` says what of it. */
export class UntranslatableError extends Error {
  constructor(readonly reason: string) {
    super(`the message has no counterpart among completions: ${reason}`);
  }
}

const STOP_REASONS: Record<string, string> = {
  end_turn: "stop_sequence",
  stop_sequence: "stop_sequence",
  max_tokens: "max_tokens",
  model_context_window_exceeded: "max_tokens",
};
const OBSTACLES = ["pause_turn", "refusal", "tool_use"];
const THINKING = ["thinking", "redacted_thinking"];
// No part of the text, and no answer in themselves.
const SILENT = [...THINKING, "fallback", "compaction"];

/** Returns the completion that says what a message says. */
export function toCompletion(message: Json, options: Options = {}): Json & { followed: boolean | null } {
  if (!Array.isArray(message.content)) throw new UntranslatableError("malformed");
  const text = message.content.map(blockText).join("");
  const hasThought = message.content.some(isThinking) || thinkingTokens(message.usage) > 0;
  const [stopReason, stop] = ending(message, text !== "", hasThought);
  const answer = new Answer(options);
  return {
    type: "completion",
    id: textOf(message, "id"),
    completion: answer.feed(text) + answer.end(),
    stop_reason: stopReason,
    model: textOf(message, "model"),
    stop,
    followed: answer.followed,
  };
}

/** Returns stop reason and stop sequence of the message that ends as a completion does. */
export function toMessageStop(stopReason: string | null, stop: string | null): [string | null, string | null] {
  if (stopReason !== "stop_sequence") return [stopReason, null];
  return stop === null || stop === HUMAN_PROMPT ? ["end_turn", null] : ["stop_sequence", stop];
}

/** Turns the events of a Messages stream into those of a completion stream, one by one. */
export class StreamTranslator {
  private readonly answer: Answer;
  private readonly start: Json = {};
  private readonly end: Json = {};
  private hasText = false;
  private hasThought = false;

  constructor(options: Options = {}) {
    this.answer = new Answer(options);
  }

  get followed(): boolean | null {
    return this.answer.followed;
  }

  /** Returns the events that one event stands for: none or one. */
  feed(event: string, data: Json): { event: string; data: Json }[] {
    if (event === "ping" || event === "error") return [{ event, data }];
    if (event === "message_start") {
      const { id, model } = part(data, "message");
      Object.assign(this.start, { id: textOf({ id }, "id"), model: textOf({ model }, "model") });
    } else if (event === "content_block_start") {
      const block = part(data, "content_block");
      if (isThinking(block)) this.hasThought = true;
      if (block.type === "fallback" && isObject(block.to) && "model" in block.to)
        this.start.model = textOf(block.to, "model");
      return this.chunkOf(blockText(block));
    } else if (event === "content_block_delta") {
      const delta = part(data, "delta");
      if (delta.type === "thinking_delta") this.hasThought = true;
      if (delta.type === "text_delta") return this.chunkOf(textOf(delta, "text"));
    } else if (event === "message_delta") {
      const delta = part(data, "delta");
      Object.assign(this.end, delta);
      if (thinkingTokens(data.usage) > 0) this.hasThought = true;
      if (delta.stop_reason != null) {
        const [stopReason, stop] = ending(this.end, this.hasText, this.hasThought);
        return this.chunk(this.answer.end(), stopReason, stop);
      }
    }
    return [];
  }

  private chunkOf(text: string) {
    this.hasText ||= text !== "";
    const out = this.answer.feed(text);
    return out ? this.chunk(out, null, null) : [];
  }

  private chunk(completion: string, stop_reason: string | null, stop: string | null) {
    const data = { type: "completion", ...this.start, completion, stop_reason, stop };
    return [{ event: "completion", data }];
  }
}

/** The text of an answer, piece by piece, as completions have it. */
class Answer {
  /** Whether it begins as it was asked to; null while that is not decided, or where nothing was asked for. */
  followed: boolean | null = null;
  private spaceDue: boolean;
  private readonly wanted: string;
  private readonly gap: string;
  private held = "";
  private stage: "beginning" | "gap" | "open";

  constructor({ leadingSpace = true, beginning = "" }: Options) {
    this.spaceDue = leadingSpace;
    this.wanted = beginning.replaceAll(/\s/g, "");
    this.gap = beginning.slice(beginning.trimEnd().length);
    this.stage = this.wanted ? "beginning" : "open";
  }

  /** Returns what can be let out after one more piece. */
  feed(piece: string): string {
    this.held += piece;
    if (this.stage === "beginning") {
      let matched = 0;
      let index = 0;
      for (; index < this.held.length && matched < this.wanted.length; index++) {
        if (/\s/.test(this.held[index]!)) continue;
        if (this.held[index] !== this.wanted[matched++]) return this.notFollowed();
      }
      if (matched < this.wanted.length) return "";
      [this.stage, this.followed, this.held] = ["gap", true, this.held.slice(index)];
    }
    if (this.stage === "gap") {
      // The white space with which the beginning ends, or whatever white space is in its place.
      if (!this.held.startsWith(this.gap)) {
        const text = this.gap.startsWith(this.held) ? "" : this.held.trimStart();
        if (!text) return "";
        this.held = text;
      } else this.held = this.held.slice(this.gap.length);
      [this.stage, this.spaceDue] = ["open", false];
    }
    return this.spaced();
  }

  /** Returns what was held back to the end. */
  end(): string {
    return this.stage === "beginning" ? this.notFollowed() : "";
  }

  private notFollowed(): string {
    [this.stage, this.followed] = ["open", false];
    return this.spaced();
  }

  private spaced(): string {
    const text = this.held;
    this.held = "";
    if (!text || !this.spaceDue) return text;
    this.spaceDue = false;
    return /^\s/.test(text) ? text : ` ${text}`;
  }
}

/** Returns a completion's stop reason and stop, or throws where the message ends in another way. */
function ending(end: Json, hasText: boolean, hasThought: boolean): [string, string | null] {
  const { stop_reason: reason, stop_sequence: sequence = null } = end;
  if (typeof reason !== "string") throw new UntranslatableError("malformed");
  const stopReason = STOP_REASONS[reason];
  if (stopReason === undefined)
    throw new UntranslatableError(OBSTACLES.includes(reason) ? reason : "stop_reason");
  // A stop sequence that is met at once explains an empty text; nothing else does.
  if (!hasText && reason !== "stop_sequence")
    throw new UntranslatableError(hasThought ? "thinking" : "no_text");
  if (sequence !== null && typeof sequence !== "string") throw new UntranslatableError("malformed");
  return [stopReason, reason === "end_turn" ? HUMAN_PROMPT : sequence];
}

function blockText(block: unknown): string {
  if (!isObject(block)) throw new UntranslatableError("malformed");
  const kind = textOf(block, "type");
  if (SILENT.includes(kind)) return "";
  if (kind !== "text") throw new UntranslatableError("content");
  return textOf(block, "text");
}

function isThinking(block: unknown): boolean {
  return isObject(block) && THINKING.includes(block.type as string);
}

function thinkingTokens(usage: unknown): number {
  const details = isObject(usage) ? usage.output_tokens_details : null;
  return isObject(details) && typeof details.thinking_tokens === "number" ? details.thinking_tokens : 0;
}

function part(data: Json, name: string): Json {
  const value = data[name];
  if (!isObject(value)) throw new UntranslatableError("malformed");
  return value;
}

function textOf(source: Json, name: string): string {
  const value = source[name];
  if (typeof value !== "string") throw new UntranslatableError("malformed");
  return value;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
