package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// parse decodes a TOML document into plain values.
func parse(document string) (tree map[string]any, err error) {
	// The parser reports a mistake of its own by a panic. No document may end the
	// program, so that becomes an error like any other.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("not TOML: %v", r)
		}
	}()
	_, err = toml.Decode(document, &tree)
	return tree, err
}

// syntaxError takes an error of parse apart: its line, and its message in one line.
func syntaxError(err error) (line int, message string) {
	message = err.Error()
	var syntax toml.ParseError
	if errors.As(err, &syntax) {
		line, message = syntax.Position.Line, syntax.Message
	}
	return max(line, 1), strings.Join(strings.Fields(message), " ")
}

// canonical joins the parts of a key with dots, quoting those that need it.
func canonical(parts ...string) string { return toml.Key(parts).String() }

// inOrder sorts problems by the lines on which their keys stand.
func inOrder(problems []problem, lines map[string]int) []problem {
	slices.SortStableFunc(problems, func(a, b problem) int { return cmp.Compare(lines[a.key], lines[b.key]) })
	return problems
}
