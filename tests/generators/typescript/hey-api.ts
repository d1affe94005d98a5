import { client } from "./made/client.gen";
import { createCompletion } from "./made/sdk.gen";

const { URL: baseUrl, BETAS = "", PROMPT = "", CONTRACT } = process.env;
client.setConfig({ baseUrl: baseUrl!, auth: ({ scheme }) => (scheme === "bearer" ? undefined : "key") });
const { data, error } = await createCompletion({
  headers: {
    "anthropic-version": "2023-06-01",
    "anthropic-beta": (CONTRACT === "as it is" ? BETAS.split(",") : BETAS) as never,
  },
  body: { model: "claude-2.1", max_tokens_to_sample: 256, prompt: PROMPT },
});
if (error) throw error;
const { completion, model, mood } = data as { completion: string; model: string; mood?: unknown };
console.log(JSON.stringify({ completion, model, mood }));
