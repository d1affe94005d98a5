import { CompletionsApi, Configuration } from "./made/index";

const { URL: basePath, BETAS = "", PROMPT = "", CONTRACT } = process.env;
const api = new CompletionsApi(new Configuration({ basePath: basePath!, apiKey: () => "key" }));
const betas = BETAS.split(",");
const reply = await api.createCompletion({
  anthropicVersion: "2023-06-01",
  anthropicBeta: (CONTRACT === "as it is" ? betas : BETAS) as never,
  completionRequest: { model: "claude-2.1", maxTokensToSample: 256, prompt: PROMPT },
});
const { completion, model, mood } = reply as typeof reply & { mood?: unknown };
console.log(JSON.stringify({ completion, model, mood }));
