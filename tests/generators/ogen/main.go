package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"smoke/made"
)

type keys struct{}

func (keys) ApiKey(context.Context, made.OperationName) (made.ApiKey, error) {
	return made.ApiKey{APIKey: "key"}, nil
}

func (keys) BearerToken(context.Context, made.OperationName) (made.BearerToken, error) {
	return made.BearerToken{}, fmt.Errorf("%w", errSkip)
}

func main() {
	client, err := made.NewClient(os.Getenv("URL"), keys{})
	if err != nil {
		panic(err)
	}
	request := made.CompletionRequest{Model: "claude-2.1", MaxTokensToSample: 256, Prompt: os.Getenv("PROMPT")}
	reply, err := client.CreateCompletion(context.Background(), &request, params())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	headers, ok := reply.(*made.CompletionHeaders)
	if !ok {
		fmt.Fprintf(os.Stderr, "got a %T\n", reply)
		os.Exit(1)
	}
	completion := headers.Response
	var mood any
	_ = json.Unmarshal(completion.AdditionalProps["mood"], &mood)
	text, _ := json.Marshal(map[string]any{"completion": completion.Completion, "model": completion.Model, "mood": mood})
	fmt.Println(string(text))
}
