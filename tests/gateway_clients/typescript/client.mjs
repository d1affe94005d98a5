// The client of @anthropic-ai/sdk: client.mjs URL ACTION.
import Anthropic from '@anthropic-ai/sdk';

const [url, action] = process.argv.slice(2);
const told = { text: '' };
const client = new Anthropic({ apiKey: 'key', baseURL: url, maxRetries: 0 });
const asked = {
  model: 'claude-haiku-4-5',
  max_tokens_to_sample: 20,
  prompt: '\n\nHuman: one two three\n\nAssistant:',
};
try {
  if (action === 'plain') {
    const completion = await client.completions.create(asked);
    Object.assign(told, { text: completion.completion, stop: completion.stop_reason });
  } else {
    const stream = await client.completions.create({ ...asked, stream: true });
    for await (const chunk of stream) {
      told.text += chunk.completion;
      told.stop = chunk.stop_reason;
      if (action === 'leave') break; // which aborts the request
    }
  }
} catch (error) {
  if (!(error instanceof Anthropic.APIError)) throw error;
  Object.assign(told, { status: error.status ?? null, error: error.message });
}
console.log(JSON.stringify(told));
if (action === 'leave') process.stdin.resume(); // so that it is the aborted request that tells
