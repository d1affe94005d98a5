package main

import (
	"os"
	"strings"

	"smoke/made"
)

func params() made.CreateCompletionParams {
	names := strings.Split(os.Getenv("BETAS"), ",")
	betas := make([]made.AnthropicBeta, len(names))
	for index, name := range names {
		betas[index] = made.AnthropicBeta(name)
	}
	return made.CreateCompletionParams{AnthropicVersion: "2023-06-01", AnthropicBeta: betas}
}
