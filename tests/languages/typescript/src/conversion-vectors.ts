/** The vectors of messages.json, which need no server. */

import { type Loss, type Settings, translate } from "./conversions.js";
import { StreamTranslator, toCompletion, toMessageStop, UntranslatableError } from "./messages.js";

type Outcome = [expected: unknown, actual: unknown];

export interface RequestConversion {
  name: string;
  params: Parameters<typeof translate>[0];
  settings?: { prefill?: NonNullable<Settings["prefill"]>; thinking_room?: number };
  request?: object;
  losses?: Loss[];
  leading_space?: boolean;
  beginning?: string;
  error?: string;
}

interface Conversion {
  name: string;
  leading_space?: boolean;
  beginning?: string;
  followed?: boolean;
  error?: string;
}

export interface ReplyConversion extends Conversion {
  message: Record<string, unknown>;
  completion?: object;
}

export interface StreamConversion extends Conversion {
  events: { event: string; data: Record<string, unknown> }[];
  completions: object[];
}

export interface StopConversion {
  name: string;
  completion: [string | null, string | null];
  message: [string | null, string | null];
}

export function checkRequestConversion(vector: RequestConversion): Outcome {
  const { prefill = "drop", thinking_room: thinkingRoom = 8192 } = vector.settings ?? {};
  // A position in the prompt, which is a help of the Python client.
  const error = vector.error?.replace(/ \(position \d+\)$/, "");
  const { request, losses, leading_space: leadingSpace, beginning = "" } = vector;
  try {
    const expected = error ?? { request, losses, leadingSpace, beginning };
    return [expected, translate(vector.params, { prefill, thinkingRoom })];
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    return [error, thrown.message];
  }
}

function options({ leading_space: leadingSpace = true, beginning = "" }: Conversion) {
  return { leadingSpace, beginning };
}

/** The reason why there is no counterpart; anything else is thrown on. */
function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof UntranslatableError)) throw thrown;
  return thrown.reason;
}

export function checkReplyConversion(vector: ReplyConversion): Outcome {
  const { followed = null, completion, error } = vector;
  try {
    return [error ?? { ...completion, followed }, toCompletion(vector.message, options(vector))];
  } catch (thrown) {
    return [error, reasonOf(thrown)];
  }
}

export function checkStreamConversion(vector: StreamConversion): Outcome {
  const translator = new StreamTranslator(options(vector));
  const completions: object[] = [];
  let error: string | undefined;
  for (const { event, data } of vector.events) {
    if (error !== undefined) return ["an error at the last event", error];
    try {
      completions.push(...translator.feed(event, data));
    } catch (thrown) {
      error = reasonOf(thrown);
    }
  }
  const followed = error === undefined ? translator.followed : null;
  return [
    { completions: vector.completions, error: vector.error, followed: vector.followed ?? null },
    { completions, error, followed },
  ];
}

export function checkStopConversion({ completion, message }: StopConversion): Outcome {
  return [message, toMessageStop(...completion)];
}
