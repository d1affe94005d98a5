package main

import (
	"math"
	"net/http"
	"strconv"
	"time"
)

// No wait is longer than a year.
const longest = 366 * 24 * time.Hour

// retryAfter returns how long the service asks to wait, or 0 where it asks nothing sensible.
func retryAfter(headers http.Header, now time.Time) time.Duration {
	if milliseconds, err := strconv.ParseFloat(headers.Get("Retry-After-Ms"), 64); err == nil {
		return sensible(milliseconds / 1000)
	}
	value := headers.Get("Retry-After")
	if date, err := time.Parse(http.TimeFormat, value); err == nil {
		return sensible(date.Sub(now).Seconds())
	}
	seconds, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return 0
	}
	return sensible(seconds)
}

func sensible(seconds float64) time.Duration {
	if math.IsNaN(seconds) || seconds <= 0 || seconds > longest.Seconds() {
		return 0
	}
	return time.Duration(seconds * float64(time.Second))
}

// RetryWait returns how long to wait before another attempt, and whether there shall be one. The status is 0 where
// the connection failed before a reply; chance is a random number from 0 to 1.
func RetryWait(status int, headers http.Header, retriesTaken int, chance float64, now time.Time) (time.Duration, bool) {
	wish := headers.Get("X-Should-Retry")
	byStatus := status == 0 || status == http.StatusRequestTimeout || status == http.StatusConflict ||
		status == http.StatusTooManyRequests || status >= 500
	if wish != "true" && (!byStatus || wish == "false") {
		return 0, false
	}
	if wait := retryAfter(headers, now); wait > 0 {
		return wait, true
	}
	seconds := min(0.5*math.Pow(2, float64(retriesTaken)), 8) * (1 - 0.25*chance)
	return time.Duration(seconds * float64(time.Second)), true
}

// RateLimit is one limit; what the headers do not say is nil.
type RateLimit struct {
	Limit     *int       `json:"limit"`
	Remaining *int       `json:"remaining"`
	Reset     *time.Time `json:"reset"` // when the limit is full again
}

// RateLimits are the limits that a reply's headers tell; nil where they tell nothing of one.
type RateLimits struct {
	Requests     *RateLimit `json:"requests"`
	Tokens       *RateLimit `json:"tokens"`
	InputTokens  *RateLimit `json:"input_tokens"`
	OutputTokens *RateLimit `json:"output_tokens"`
}

// ReadRateLimits reads the limits from a reply's headers.
func ReadRateLimits(headers http.Header) RateLimits {
	read := func(kind string) *RateLimit {
		prefix := "Anthropic-Ratelimit-" + kind
		limit, remaining, reset := headers.Get(prefix+"-Limit"), headers.Get(prefix+"-Remaining"), headers.Get(prefix+"-Reset")
		if limit+remaining+reset == "" {
			return nil
		}
		found := &RateLimit{Limit: count(limit), Remaining: count(remaining)}
		if moment, err := time.Parse(time.RFC3339, reset); err == nil {
			moment = moment.UTC()
			found.Reset = &moment
		}
		return found
	}
	return RateLimits{read("Requests"), read("Tokens"), read("Input-Tokens"), read("Output-Tokens")}
}

func count(value string) *int {
	number, err := strconv.Atoi(value)
	if err != nil || number < 0 {
		return nil
	}
	return &number
}
