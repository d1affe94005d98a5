package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	openapi "smoke/made"
)

func main() {
	configuration := openapi.NewConfiguration()
	configuration.Servers = openapi.ServerConfigurations{{URL: os.Getenv("URL")}}
	keys := map[string]openapi.APIKey{"ApiKey": {Key: "key"}}
	ctx := context.WithValue(context.Background(), openapi.ContextAPIKeys, keys)
	request := openapi.NewCompletionRequest(256, "claude-2.1", os.Getenv("PROMPT"))
	reply, _, err := openapi.NewAPIClient(configuration).CompletionsAPI.CreateCompletion(ctx).
		AnthropicVersion("2023-06-01").AnthropicBeta(betas()).CompletionRequest(*request).Execute()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	text, _ := json.Marshal(map[string]any{
		"completion": reply.Completion, "model": reply.Model, "mood": reply.AdditionalProperties["mood"],
	})
	fmt.Println(string(text))
}
