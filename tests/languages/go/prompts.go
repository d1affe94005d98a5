package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// What begins the turns of a prompt.
const (
	HumanPrompt = "\n\nHuman:"
	AIPrompt    = "\n\nAssistant:"
)

const (
	firstMessage = `prompt must start with "\n\nHuman:" turn after an optional system prompt`
	lastMessage  = `prompt must end with "\n\nAssistant:" turn`
)

var (
	marker  = regexp.MustCompile("\n\nHuman:|\n\nAssistant:")
	markers = map[string]string{"human": HumanPrompt, "user": HumanPrompt, "assistant": AIPrompt}
)

// Turn is one turn of a prompt.
type Turn struct {
	Role    string `json:"role"`    // human or assistant
	Text    string `json:"text"`    // as it stands after the marker
	Content string `json:"content"` // without the space that belongs to the marker
}

// Verdict is what the service makes of a prompt.
type Verdict struct {
	OK        bool
	Reason    string // why it would refuse the prompt, and Message in its words
	Message   string
	Sanitised string // the prompt after what it changes before it looks
}

// Parse takes a prompt apart, without judging or changing it.
func Parse(prompt string) (system string, turns []Turn) {
	places := marker.FindAllStringIndex(prompt, -1)
	if places == nil {
		return prompt, nil
	}
	for index, place := range places {
		end := len(prompt)
		if index+1 < len(places) {
			end = places[index+1][0]
		}
		role := "assistant"
		if prompt[place[0]:place[1]] == HumanPrompt {
			role = "human"
		}
		text := prompt[place[1]:end]
		turns = append(turns, Turn{role, text, strings.TrimPrefix(text, " ")})
	}
	return prompt[:places[0][0]], turns
}

// Build makes a prompt of turns, of which the first may have the role system; only Role and Content are looked at.
func Build(turns []Turn, openTurn, allowMarkers bool) (string, error) {
	var prompt strings.Builder
	for index, turn := range turns {
		isSystem := turn.Role == "system"
		if begin, known := markers[turn.Role]; !known && !(isSystem && index == 0) {
			return "", fmt.Errorf("turn %d: role %s", index, turn.Role)
		} else if begin != "" {
			prompt.WriteString(begin)
			if turn.Content != "" {
				prompt.WriteString(" ")
			}
		}
		if !allowMarkers && (marker.MatchString(turn.Content) || isSystem && strings.HasPrefix(turn.Content, "Human:")) {
			return "", fmt.Errorf("turn %d: the text would begin a turn", index)
		}
		prompt.WriteString(turn.Content)
	}
	if openTurn && len(turns) > 0 && markers[turns[len(turns)-1].Role] == HumanPrompt {
		prompt.WriteString(AIPrompt)
	}
	return prompt.String(), nil
}

// Validate tells whether the service takes a prompt. The limit in tokens is not looked at.
func Validate(prompt string) Verdict {
	if strings.HasPrefix(prompt, "Human:") {
		prompt = "\n\n" + prompt
	}
	if trimmed := strings.TrimRight(prompt, " "); strings.HasSuffix(trimmed, AIPrompt) {
		prompt = trimmed
	}
	found := marker.FindAllString(prompt, -1)
	switch {
	case prompt == "":
		return Verdict{false, "empty", "prompt must not be empty", prompt}
	case !slices.Contains(found, HumanPrompt):
		return Verdict{false, "no_human_turn", firstMessage, prompt}
	case found[0] != HumanPrompt:
		return Verdict{false, "human_not_first", firstMessage, prompt}
	case !slices.Contains(found, AIPrompt):
		return Verdict{false, "no_assistant_turn", lastMessage, prompt}
	case found[len(found)-1] != AIPrompt:
		return Verdict{false, "assistant_not_last", lastMessage, prompt}
	}
	return Verdict{OK: true, Sanitised: prompt}
}
