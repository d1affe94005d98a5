// Command completions runs the vectors against the vector server; see ../server.py.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"completions/build/api"
)

type errorVector struct {
	Kind       string
	Message    string
	RequestID  string  `json:"request_id"`
	RetryAfter float64 `json:"retry_after"`
}

type vector struct {
	raw         json.RawMessage
	Name        string
	Hex         string
	Credentials struct {
		APIKey    string `json:"api_key"`
		AuthToken string `json:"auth_token"`
	}
	Arguments  json.RawMessage
	Reply      struct{ Status int }
	Completion map[string]any
	Texts      []string
	End        any
	Error      *errorVector
}

var prompt = api.CompletionRequest{
	Model:             "claude-2.1",
	MaxTokensToSample: 256,
	Prompt:            HumanPrompt + " Hello, world!" + AIPrompt,
}

func main() {
	passed, failures := 0, 0
	run := func(file, group string, check func(vector, *Completions) (expected, actual any, err error)) {
		var vectors []vector
		load(file, group, &vectors)
		for index, v := range vectors {
			options := Options{v.Credentials.APIKey, v.Credentials.AuthToken, ""}
			options.BaseURL = fmt.Sprintf("%s/%s/%d", os.Getenv("VECTORS_URL"), group, index)
			client, err := New(options)
			var expected, actual any
			if err == nil {
				expected, actual, err = check(v, client)
			}
			if err == nil && reflect.DeepEqual(expected, actual) {
				passed++
				continue
			}
			failures++
			fmt.Fprintf(os.Stderr, "go: %s: %s\n  expected %#v\n  got %#v, %v\n", group, v.Name, expected, actual, err)
		}
	}
	var date string
	load("retries", "now", &date)
	now, _ = time.Parse(http.TimeFormat, date)
	run("constants", "markers", checkMarker)
	run("requests", "requests", checkRequest)
	run("replies", "replies", checkReply)
	run("streams", "streams", checkStream)
	run("retries", "retry_after", checkRetryAfter)
	run("retries", "retries", checkRetry)
	run("rate_limits", "rate_limits", checkRateLimits)
	run("prompts", "validate", checkValidate)
	run("prompts", "parse", checkParse)
	run("prompts", "build", checkBuild)
	if failures > 0 {
		fmt.Fprintf(os.Stderr, "go: %d vectors failed\n", failures)
		os.Exit(1)
	}
	fmt.Printf("go: %d vectors passed\n", passed)
}

// load reads one entry of a file of vectors.
func load(file, entry string, target any) {
	content, err := os.ReadFile(filepath.Join(os.Getenv("VECTORS"), file+".json"))
	if err == nil {
		var entries map[string]json.RawMessage
		if err = json.Unmarshal(content, &entries); err == nil {
			err = json.Unmarshal(entries[entry], target)
		}
	}
	if err != nil {
		panic(err)
	}
}

func (v *vector) UnmarshalJSON(content []byte) error {
	type fields vector
	if err := json.Unmarshal(content, (*fields)(v)); err != nil {
		return err
	}
	v.raw = content
	return nil
}

func checkMarker(v vector, _ *Completions) (any, any, error) {
	markers := map[string]string{"HUMAN_PROMPT": HumanPrompt, "AI_PROMPT": AIPrompt}
	return v.Hex, fmt.Sprintf("%x", markers[v.Name]), nil
}

// checkRequest sends a request. The server answers a wrong one with an error.
func checkRequest(v vector, client *Completions) (any, any, error) {
	var request api.CompletionRequest
	var headers struct {
		Betas       *api.AnthropicBetas
		WorkspaceID *string `json:"workspace_id"`
	}
	for _, target := range []any{&request, &headers} {
		if err := json.Unmarshal(v.Arguments, target); err != nil {
			return nil, nil, err
		}
	}
	params := api.CreateCompletionParams{
		AnthropicBeta:        headers.Betas,
		AnthropicWorkspaceId: headers.WorkspaceID,
	}
	if request.Stream != nil && *request.Stream {
		for _, err := range client.Stream(context.Background(), request, params) {
			if err != nil {
				return nil, nil, err
			}
		}
		return nil, nil, nil
	}
	_, err := client.Create(context.Background(), request, params)
	return nil, nil, err
}

func checkReply(v vector, client *Completions) (expected, actual any, err error) {
	completion, err := client.Create(context.Background(), prompt, api.CreateCompletionParams{})
	if v.Error != nil {
		return *v.Error, describe(v, err), nil
	}
	if err != nil {
		return v.Completion, nil, err
	}
	// To JSON and back: fields that the contract does not name are part of it.
	content, err := json.Marshal(completion)
	if err != nil {
		return nil, nil, err
	}
	var fields map[string]any
	err = json.Unmarshal(content, &fields)
	return v.Completion, fields, err
}

func checkStream(v vector, client *Completions) (expected, actual any, err error) {
	type outcome struct {
		texts []string
		end   any
	}
	got := outcome{texts: []string{}}
	for chunk, err := range client.Stream(context.Background(), prompt, api.CreateCompletionParams{}) {
		if err != nil {
			got.end = describe(v, err)
			break
		}
		got.texts = append(got.texts, chunk.Completion)
		if reason, err := chunk.StopReason.Get(); err == nil {
			end := map[string]any{"stop_reason": reason, "stop": nil}
			if stop, err := chunk.Stop.Get(); err == nil {
				end["stop"] = stop
			}
			got.end = end
		}
	}
	if v.Error != nil {
		return outcome{v.Texts, *v.Error}, got, nil
	}
	return outcome{v.Texts, v.End}, got, nil
}

// describe returns the part of an error that a vector speaks of, or what is wrong with it.
func describe(v vector, err error) any {
	var failure *Error
	if !errors.As(err, &failure) {
		return fmt.Sprintf("no error of ours: %v", err)
	}
	if failure.Status != v.Reply.Status {
		return fmt.Sprintf("status %d", failure.Status)
	}
	return errorVector{failure.Kind, failure.Message, failure.RequestID, failure.RetryAfter.Seconds()}
}
