import { createCompletion } from "./made/api";

const { URL: baseUrl, BETAS = "", PROMPT = "", CONTRACT } = process.env;
// It makes paths without a host; that is for the reader to add.
const send = globalThis.fetch;
globalThis.fetch = (input, init) => send(baseUrl + String(input), init);
const reply = await createCompletion(
  { model: "claude-2.1", max_tokens_to_sample: 256, prompt: PROMPT },
  {
    "anthropic-version": "2023-06-01",
    "anthropic-beta": (CONTRACT === "as it is" ? BETAS.split(",") : BETAS) as never,
  },
  { headers: { "x-api-key": "key" } },
);
const { completion, model, mood } = reply.data as { completion: string; model: string; mood?: unknown };
console.log(JSON.stringify({ completion, model, mood }));
