package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// The vectors that need no server.

var now time.Time

func headersOf(fields map[string]string) http.Header {
	headers := http.Header{}
	for name, value := range fields {
		headers.Set(name, value)
	}
	return headers
}

func checkRetryAfter(v vector, _ *Completions) (expected, actual any, err error) {
	var c struct {
		Headers map[string]string
		Seconds float64 // 0 for null
	}
	err = json.Unmarshal(v.raw, &c)
	return c.Seconds, retryAfter(headersOf(c.Headers), now).Seconds(), err
}

func checkRetry(v vector, _ *Completions) (expected, actual any, err error) {
	var c struct {
		Status       int // 0 for null
		Headers      map[string]string
		RetriesTaken int `json:"retries_taken"`
		Random       float64
		Wait         *float64
	}
	err = json.Unmarshal(v.raw, &c)
	wait, again := RetryWait(c.Status, headersOf(c.Headers), c.RetriesTaken, c.Random, now)
	if c.Wait == nil {
		return false, again, err
	}
	return *c.Wait, wait.Seconds(), err
}

func checkRateLimits(v vector, _ *Completions) (expected, actual any, err error) {
	var c struct {
		Headers    map[string]string
		RateLimits RateLimits `json:"rate_limits"`
	}
	err = json.Unmarshal(v.raw, &c)
	return c.RateLimits, ReadRateLimits(headersOf(c.Headers)), err
}

func checkValidate(v vector, _ *Completions) (expected, actual any, err error) {
	var c struct {
		Prompt string
		Verdict
	}
	err = json.Unmarshal(v.raw, &c)
	return c.Verdict, Validate(c.Prompt), err
}

func checkParse(v vector, _ *Completions) (expected, actual any, err error) {
	type parts struct {
		System string
		Turns  []Turn
	}
	var c struct {
		Prompt string
		parts
	}
	err = json.Unmarshal(v.raw, &c)
	system, turns := Parse(c.Prompt)
	return parts{c.System, slices.Concat(c.Turns)}, parts{system, turns}, err
}

func checkBuild(v vector, _ *Completions) (expected, actual any, err error) {
	c := struct {
		Turns        []Turn
		OpenTurn     bool `json:"open_turn"`
		AllowMarkers bool `json:"allow_markers"`
		Prompt       string
	}{OpenTurn: true}
	err = json.Unmarshal(v.raw, &c)
	prompt, refused := Build(c.Turns, c.OpenTurn, c.AllowMarkers)
	// A vector without a prompt is refused.
	if c.Prompt == "" {
		return true, refused != nil, err
	}
	return c.Prompt, prompt, err
}
