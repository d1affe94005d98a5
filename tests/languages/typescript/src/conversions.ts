/** Requests for completions as requests of Messages: which model takes what, and what is lost. */

import { readFileSync } from "node:fs";
import { HUMAN_PROMPT, parse, validate } from "./prompts.js";

/** How Messages serves a model; in the contract under `x-models`, where each word is explained. */
interface Support {
  prefill?: boolean;
  sampling?: "any" | "one" | "none";
  thinking?: "off" | "on" | "always";
  off_switch?: string | null;
  effort?: { levels: string[] } | null;
  max_tokens?: number;
}

interface Models {
  "x-models": Record<string, { alias_of?: string; messages?: Support }>;
  "x-models-newest": string;
}

interface Turn {
  role: "human" | "assistant";
  text: string;
}

/** What of a request Messages does not say, or does not say the same. */
export interface Loss {
  rule: string;
  field: string;
  value: unknown;
}

export interface Settings {
  /** What becomes of the beginning of an answer, where the model refuses to continue one. */
  prefill?: "drop" | "instruct" | "error";
  /** Tokens by which the cap grows for a model that always thinks. */
  thinkingRoom?: number;
}

export interface Translation {
  request: Record<string, unknown>;
  losses: Loss[];
  /** Whether the old endpoint's answer would have begun with a space that Messages leaves out. */
  leadingSpace: boolean;
  /** The text with which the answer was asked in words to begin. */
  beginning: string;
}

type Fields = Record<string, unknown> & { model: string; max_tokens_to_sample: number; prompt: string };

const CONTRACT = JSON.parse(readFileSync(new URL("../../../openapi.json", import.meta.url), "utf8"));
const MODELS: Models = CONTRACT.components.schemas.KnownModel;
const DEFAULTS = { temperature: 1, top_k: 0, top_p: 1 };
const MARKERS = { human: HUMAN_PROMPT, assistant: "\n\nAssistant:" };

const isBlank = (text: string) => text.trim() === "";
const contentOf = (turn: Turn) => turn.text.replace(/^ /, "");
const inPrompt = (turn: Turn) => MARKERS[turn.role] + turn.text;

/**
 * Translates a request; fields of Messages that it holds are passed on.
 *
 * @throws RangeError where the prompt has no counterpart, or its beginning of an answer is refused and an error
 */
export function translate(params: Fields, settings: Settings = {}): Translation {
  const { prefill = "drop", thinkingRoom = 8192 } = settings;
  const { model, max_tokens_to_sample: asked, prompt, stop_sequences, ...others } = params;
  const fields = Object.fromEntries(Object.entries(others).filter(([, value]) => value != null));
  const verdict = validate(prompt);
  if (!verdict.ok) throw new RangeError(verdict.message);
  for (const name of ["top_k", "top_p"]) if (fields[name] === -1) delete fields[name];

  const { snapshot, isMessages, support } = lookUp(model);
  const losses: Loss[] = [];
  const lose = (rule: string, field: string, value: unknown) => losses.push({ rule, field, value });
  const parts = parse(verdict.sanitised);
  let turns: Turn[] = parts.turns;
  let moreTokens = 0;
  let beginning = "";

  turns.forEach((turn, index) => {
    if (index && turns[index - 1]?.role === turn.role) lose("consecutive_turns", "prompt", inPrompt(turn));
  });

  const last = turns.at(-1);
  turns = turns.filter((turn) => {
    const keeps = !isBlank(contentOf(turn));
    // A blank last turn is where the answer goes: nothing is lost.
    if (!keeps && turn !== last) lose("blank_text", "prompt", inPrompt(turn));
    return keeps;
  });

  const refused: Turn[] = [];
  while (support.prefill === false && turns.at(-1)?.role === "assistant") refused.push(turns.pop()!);
  if (refused.length && prefill === "error") throw new RangeError(`${model} refuses to continue an answer`);
  for (const turn of refused)
    lose(prefill === "instruct" ? "prefill_instructed" : "prefill_refused", "prompt", inPrompt(turn));
  if (prefill === "instruct") {
    const contents = refused.map(contentOf).reverse();
    beginning = contents.map((text, index) => (index < contents.length - 1 ? text.trim() : text)).join("\n\n");
    const human = turns.at(-1);
    if (beginning && human) {
      turns = [...turns.slice(0, -1), { role: human.role, text: human.text + askedFor(beginning) }];
      moreTokens += Math.floor(new TextEncoder().encode(beginning).length / 2) + 4;
    }
  }

  const final = turns.at(-1);
  if (final?.role === "assistant") {
    const kept = final.text.trimEnd();
    if (kept !== final.text) lose("prefill_whitespace", "prompt", final.text.slice(kept.length));
    turns = [...turns.slice(0, -1), { role: final.role, text: kept }];
  }

  const sequences = ((stop_sequences as string[] | null) ?? []).filter((sequence, index) => {
    if (isBlank(sequence)) lose("blank_stop_sequence", `stop_sequences[${index}]`, sequence);
    return !isBlank(sequence);
  });
  if (!sequences.includes(HUMAN_PROMPT)) sequences.push(HUMAN_PROMPT);

  limitSampling(fields, support, lose);

  if (support.thinking === "always" && !("thinking" in fields)) {
    moreTokens += thinkingRoom;
    if (support.effort?.levels.includes("low")) fields.output_config ??= { effort: "low" };
    lose("thinking_counts", "max_tokens_to_sample", asked);
  }
  if (turns[0]?.role !== "human")
    throw new RangeError("the prompt's first Human turn is blank, which Messages refuses");
  const effort = (fields.output_config as { effort?: string } | undefined)?.effort ?? "";
  // The models of completions did not think: the cap on tokens is one on text.
  if (support.thinking === "on" && !["xhigh", "max"].includes(effort))
    fields.thinking ??= { type: support.off_switch };

  const request: Record<string, unknown> = {
    model: isMessages ? model : snapshot,
    max_tokens: Math.max(asked, Math.min(asked + moreTokens, support.max_tokens ?? Infinity)),
    messages: turns.map((turn) => ({
      role: turn.role === "human" ? "user" : "assistant",
      content: contentOf(turn),
    })),
    ...(!isBlank(parts.system) && { system: parts.system }),
    stop_sequences: sequences,
    ...fields,
  };
  const continues = turns.at(-1)?.role === "assistant";
  return { request, losses, leadingSpace: !continues && !/\s$/.test(verdict.sanitised), beginning };
}

/** A name in no list that looks like Anthropic's counts as the newest model; of others nothing is known. */
function lookUp(model: string): { snapshot: string; isMessages: boolean; support: Support } {
  const snapshot = MODELS["x-models"][model]?.alias_of ?? model;
  const entry = MODELS["x-models"][snapshot];
  const support = entry?.messages ?? {};
  const isUnlisted = entry === undefined && model.startsWith("claude-");
  return {
    snapshot,
    isMessages: support.prefill !== undefined,
    support: isUnlisted ? lookUp(MODELS["x-models-newest"]).support : support,
  };
}

/** Takes off the sampling that a model refuses; a value that is the default is not missed. */
function limitSampling(
  fields: Record<string, unknown>,
  support: Support,
  lose: (rule: string, field: string, value: unknown) => void,
): void {
  if (support.sampling === "none") {
    for (const [name, value] of Object.entries(DEFAULTS)) {
      if (name in fields && fields[name] !== value) lose("sampling_refused", name, fields[name]);
      delete fields[name];
    }
  }
  if (support.sampling === "one" && "temperature" in fields && "top_p" in fields) {
    const idle = (["top_p", "temperature"] as const).find((name) => fields[name] === DEFAULTS[name]);
    if (!idle) lose("temperature_with_top_p", "top_p", fields.top_p);
    delete fields[idle ?? "top_p"];
  }
}

function askedFor(beginning: string): string {
  return (
    "\n\nBegin your answer with exactly the text between <beginning> and </beginning>, with nothing before " +
    `it and without these tags, and go on from there.\n<beginning>${beginning}</beginning>`
  );
}
