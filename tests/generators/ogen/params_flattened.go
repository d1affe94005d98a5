package main

import (
	"os"

	"smoke/made"
)

func params() made.CreateCompletionParams {
	return made.CreateCompletionParams{
		AnthropicVersion: "2023-06-01",
		AnthropicBeta:    made.NewOptString(os.Getenv("BETAS")),
	}
}
