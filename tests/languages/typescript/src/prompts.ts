/** Prompts: taken apart, built, and judged as the service judges them. */

/** What begins the turns of a prompt. */
export const HUMAN_PROMPT = "\n\nHuman:";
export const AI_PROMPT = "\n\nAssistant:";

const MARKER = /\n\nHuman:|\n\nAssistant:/g;
const FIRST = 'prompt must start with "\\n\\nHuman:" turn after an optional system prompt';
const LAST = 'prompt must end with "\\n\\nAssistant:" turn';
const ROLES: Record<string, string> = {
  human: HUMAN_PROMPT,
  user: HUMAN_PROMPT,
  assistant: AI_PROMPT,
};

export interface Turn {
  role: "human" | "assistant";
  /** The text as it stands after the marker. */
  text: string;
  /** The text without the space that belongs to the marker. */
  content: string;
}

export interface Verdict {
  ok: boolean;
  /** Why the service would refuse the prompt, and in its words. */
  reason?: string;
  message?: string;
  /** The prompt after what the service changes before it looks. */
  sanitised: string;
}

/** Takes a prompt apart, without judging or changing it. */
export function parse(prompt: string): { system: string; turns: Turn[] } {
  const markers = prompt.match(MARKER) ?? [];
  const [system = "", ...texts] = prompt.split(MARKER);
  const turns = texts.map((text, index): Turn => {
    const role = markers[index] === HUMAN_PROMPT ? "human" : "assistant";
    return { role, text, content: text.replace(/^ /, "") };
  });
  return { system, turns };
}

/**
 * Builds a prompt of turns, the first of which may be system text.
 *
 * @throws RangeError for an unknown role, system text after a turn, or text that would begin a turn
 */
export function build(
  turns: { role: string; content: string }[],
  { openTurn = true, allowMarkers = false } = {},
): string {
  let prompt = "";
  for (const [index, { role, content }] of turns.entries()) {
    const isSystem = role === "system";
    const marker = isSystem ? "" : ROLES[role];
    if (marker === undefined || (isSystem && index > 0)) throw new RangeError(`turn ${index}: ${role}`);
    if (!allowMarkers && (content.search(MARKER) >= 0 || (isSystem && content.startsWith("Human:"))))
      throw new RangeError(`turn ${index}: the text would begin a turn`);
    prompt += isSystem || content === "" ? marker + content : `${marker} ${content}`;
  }
  const isOpen = ROLES[turns.at(-1)?.role ?? ""] === HUMAN_PROMPT;
  return openTurn && isOpen ? prompt + AI_PROMPT : prompt;
}

/** Tells whether the service takes a prompt. The limit in tokens is not looked at. */
export function validate(prompt: string): Verdict {
  let sanitised = prompt.startsWith("Human:") ? `\n\n${prompt}` : prompt;
  const trimmed = sanitised.replace(/ +$/, "");
  if (trimmed.endsWith(AI_PROMPT)) sanitised = trimmed;
  const markers: string[] = sanitised.match(MARKER) ?? [];
  const refuse = (reason: string, message: string) => ({ ok: false, reason, message, sanitised });
  if (!sanitised) return refuse("empty", "prompt must not be empty");
  if (!markers.includes(HUMAN_PROMPT)) return refuse("no_human_turn", FIRST);
  if (markers[0] !== HUMAN_PROMPT) return refuse("human_not_first", FIRST);
  if (!markers.includes(AI_PROMPT)) return refuse("no_assistant_turn", LAST);
  if (markers.at(-1) !== AI_PROMPT) return refuse("assistant_not_last", LAST);
  return { ok: true, sanitised };
}
