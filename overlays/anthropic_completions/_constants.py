"""The markers of turns. Prompts are raw text; these are all the structure there is."""

HUMAN_PROMPT = "\n\nHuman:"
AI_PROMPT = "\n\nAssistant:"
