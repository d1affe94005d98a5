package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/tmaxmax/go-sse"

	"completions/build/api"
)

//go:generate go tool oapi-codegen -config oapi-codegen.yaml ../../openapi.json

// Completions asks for text completions, plain and streamed, through the generated client.
type Completions struct {
	client *api.Client
}

// Options say who asks, and where.
type Options struct {
	APIKey    string
	AuthToken string
	BaseURL   string // the service's own where it is empty
}

// New returns a client. It sends nothing yet.
func New(options Options) (*Completions, error) {
	if options.BaseURL == "" {
		options.BaseURL = "https://api.anthropic.com"
	}
	client, err := api.NewClient(options.BaseURL, api.WithRequestEditorFn(
		func(_ context.Context, request *http.Request) error {
			if options.APIKey != "" {
				request.Header.Set("x-api-key", options.APIKey)
			}
			if options.AuthToken != "" {
				request.Header.Set("Authorization", "Bearer "+options.AuthToken)
			}
			return nil
		}))
	return &Completions{client}, err
}

// Error says what went wrong with a reply.
type Error struct {
	Kind       string // the API's error type, or unknown, invalid (no completion), incomplete (cut off)
	Message    string // the API's own words, where there are any
	Status     int
	RequestID  string
	RetryAfter time.Duration
	cause      error
}

func (e *Error) Error() string { return fmt.Sprintf("%s (status %d): %s", e.Kind, e.Status, e.Message) }
func (e *Error) Unwrap() error { return e.cause }

// Create returns the whole completion.
func (c *Completions) Create(
	ctx context.Context, request api.CompletionRequest, params api.CreateCompletionParams,
) (*api.Completion, error) {
	response, body, err := c.send(ctx, request, params)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return readCompletion(response, body)
}

// Stream yields the chunks as they come, and an error last where the stream brings one or ends before the
// text does. Leaving the loop closes the connection.
func (c *Completions) Stream(
	ctx context.Context, request api.CompletionRequest, params api.CreateCompletionParams,
) iter.Seq2[*api.CompletionChunk, error] {
	return func(yield func(*api.CompletionChunk, error) bool) {
		stream := true
		request.Stream = &stream
		response, body, err := c.send(ctx, request, params)
		if err != nil {
			yield(nil, err)
			return
		}
		defer body.Close()

		if kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); kind != "text/event-stream" {
			// A completion or an error as JSON, in place of the stream.
			chunk, err := readChunk(response, body)
			if yield(chunk, err) && err == nil && !stops(chunk) {
				yield(nil, newError(response, "incomplete", nil))
			}
			return
		}
		complete := false
		for event, err := range sse.Read(body, &sse.ReadConfig{MaxEventSize: 16 << 20}) {
			if err != nil {
				yield(nil, newError(response, "incomplete", err))
				return
			}
			chunk, err := decodeEvent(response, event)
			if err != nil {
				yield(nil, err)
				return
			}
			if chunk == nil {
				continue
			}
			complete = complete || stops(chunk)
			if !yield(chunk, nil) {
				return
			}
		}
		if !complete {
			yield(nil, newError(response, "incomplete", nil))
		}
	}
}

// send returns a reply with status 200 and its body, or an error.
func (c *Completions) send(
	ctx context.Context, request api.CompletionRequest, params api.CreateCompletionParams,
) (*http.Response, io.ReadCloser, error) {
	params.AnthropicVersion = "2023-06-01"
	// Not CreateCompletionWithResponse, which forgets the status of an error whose body is no JSON.
	response, err := c.client.CreateCompletion(ctx, &params, request)
	if err != nil {
		return nil, nil, err
	}
	if response.StatusCode == http.StatusOK {
		return response, response.Body, nil
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, nil, newError(response, "incomplete", err)
	}
	return nil, nil, statusError(response, content)
}

// decodeEvent returns the chunk of an event; nil where it has none.
func decodeEvent(response *http.Response, event sse.Event) (*api.CompletionChunk, error) {
	if event.Data == "" { // go-sse yields events without data; by the WHATWG's rules there are none
		return nil, nil
	}
	data := []byte(event.Data)
	switch event.Type {
	case "completion":
		if holdsError(data) {
			return nil, statusError(response, data)
		}
		return decodeChunk(response, data)
	case "error":
		var object map[string]any
		if err := json.Unmarshal(data, &object); err != nil || object == nil {
			return nil, newError(response, "invalid", err)
		}
		return nil, statusError(response, data)
	case "": // the data itself must tell
		if strings.TrimSpace(event.Data) == "[DONE]" { // as gateways add it
			return nil, nil
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(data, &fields); err != nil {
			return nil, newError(response, "invalid", err)
		}
		if holdsError(data) {
			return nil, statusError(response, data)
		}
		if _, found := fields["completion"]; found {
			return decodeChunk(response, data)
		}
	}
	return nil, nil
}

func decodeChunk(response *http.Response, data []byte) (*api.CompletionChunk, error) {
	// The generated types do not tell a field that is missing from one that is empty.
	var present struct{ Completion *string }
	chunk := new(api.CompletionChunk)
	if err := json.Unmarshal(data, &present); err != nil || present.Completion == nil {
		return nil, newError(response, "invalid", err)
	}
	if err := json.Unmarshal(data, chunk); err != nil {
		return nil, newError(response, "invalid", err)
	}
	if chunk.Type != nil && *chunk.Type != api.CompletionChunkTypeCompletion {
		return nil, newError(response, "invalid", nil)
	}
	return chunk, nil
}

func readCompletion(response *http.Response, body io.Reader) (*api.Completion, error) {
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, newError(response, "incomplete", err)
	}
	if holdsError(data) {
		return nil, statusError(response, data)
	}
	var present struct {
		ID, Completion, Model, Type *string
		StopReason                  json.RawMessage `json:"stop_reason"`
	}
	completion := new(api.Completion)
	for _, target := range []any{&present, completion} {
		if err := json.Unmarshal(data, target); err != nil {
			return nil, newError(response, "invalid", err)
		}
	}
	if present.ID == nil || present.Completion == nil || present.Model == nil || present.StopReason == nil ||
		completion.Type != api.CompletionTypeCompletion {
		return nil, newError(response, "invalid", nil)
	}
	return completion, nil
}

// readChunk reads a whole completion as the one chunk of a stream.
func readChunk(response *http.Response, body io.Reader) (*api.CompletionChunk, error) {
	completion, err := readCompletion(response, body)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(completion)
	if err != nil {
		return nil, err
	}
	return decodeChunk(response, data)
}

func stops(chunk *api.CompletionChunk) bool {
	return chunk.StopReason.IsSpecified() && !chunk.StopReason.IsNull()
}

// holdsError tells whether a JSON text is an error, whatever the status of its reply says.
func holdsError(data []byte) bool {
	var reply struct{ Error map[string]json.RawMessage }
	return json.Unmarshal(data, &reply) == nil && reply.Error != nil
}

// statusError makes an error of a body that is, or should be, the API's error object.
func statusError(response *http.Response, body []byte) *Error {
	failure := newError(response, "unknown", nil)
	// Not api.Error, which is refused whole where one of its fields is not what it should be.
	var reply struct {
		Error     map[string]any
		RequestID any `json:"request_id"`
	}
	_ = json.Unmarshal(body, &reply)
	if kind, ok := reply.Error["type"].(string); ok {
		failure.Kind = kind
	}
	failure.Message, _ = reply.Error["message"].(string)
	if id, ok := reply.RequestID.(string); ok && failure.RequestID == "" {
		failure.RequestID = id
	}
	return failure
}

func newError(response *http.Response, kind string, cause error) *Error {
	return &Error{
		Kind:       kind,
		Status:     response.StatusCode,
		RequestID:  response.Header.Get("Request-Id"),
		RetryAfter: retryAfter(response.Header, time.Now()),
		cause:      cause,
	}
}
