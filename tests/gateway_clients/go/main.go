// The client of anthropic-sdk-go: client URL ACTION.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
)

func main() {
	url, action := os.Args[1], os.Args[2]
	told := map[string]any{"text": ""}
	client := anthropic.NewClient(option.WithAPIKey("key"), option.WithBaseURL(url), option.WithMaxRetries(0))
	asked := anthropic.CompletionNewParams{
		Model:             "claude-haiku-4-5",
		MaxTokensToSample: 20,
		Prompt:            "\n\nHuman: one two three\n\nAssistant:",
	}
	var failure error
	if action == "plain" {
		completion, err := client.Completions.New(context.Background(), asked)
		if failure = err; err == nil {
			told["text"], told["stop"] = completion.Completion, completion.StopReason
		}
	} else {
		stream := client.Completions.NewStreaming(context.Background(), asked)
		text := ""
		for stream.Next() {
			text += stream.Current().Completion
			told["stop"] = stream.Current().StopReason
			if action == "leave" {
				stream.Close()
				break
			}
		}
		told["text"], failure = text, stream.Err()
	}
	if failure != nil && action != "leave" {
		told["error"], told["status"] = failure.Error(), nil
		var status *anthropic.Error
		if errors.As(failure, &status) {
			told["status"] = status.StatusCode
		}
	}
	json.NewEncoder(os.Stdout).Encode(told)
	if action == "leave" {
		io.ReadAll(os.Stdin) // so that it is the closed stream that tells
	}
}
