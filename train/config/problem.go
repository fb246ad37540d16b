package config

import (
	"errors"
	"fmt"
	"strings"
)

// ErrInvalid is wrapped by every error about the configuration itself: a source
// that cannot be read, an unknown key, a wrong type, a value that is not allowed.
var ErrInvalid = errors.New("invalid configuration")

// problem is one thing that is wrong, and with which key.
type problem struct {
	key  string
	text string
}

// origins says where keys were set: "file:line", or the text of a setting.
type origins map[string]string

// invalid joins problems into one error of one line, nil if there are none.
func invalid(problems []problem, where origins) error {
	if len(problems) == 0 {
		return nil
	}
	texts := make([]string, len(problems))
	for i, p := range problems {
		texts[i] = p.text
		if origin, ok := where[p.key]; ok {
			texts[i] = origin + ": " + p.text
		}
	}
	return fmt.Errorf("%w: %s", ErrInvalid, strings.Join(texts, " | "))
}

// quote makes text from outside fit into one line of a message.
func quote(s string) string {
	const most = 60
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "…"
	}
	return fmt.Sprintf("%q", s)
}
