package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// keyLines returns the line on which each key of a TOML document stands first, by
// canonical name: tables, dotted keys with all their prefixes, and keys inside inline
// tables; of a value of many lines it is the first. The document must be one that the
// parser accepts; of any other the result is incomplete.
func keyLines(document string) map[string]int {
	lines := map[string]int{}
	header, statement, first := "", "", 0 // of the table, of what is being read, and its line
	for i, line := range strings.SplitAfter(strings.TrimPrefix(document, "\ufeff"), "\n") {
		if statement == "" {
			switch trimmed := strings.TrimLeft(line, " \t\r\n"); {
			case trimmed == "" || trimmed[0] == '#':
				continue
			case trimmed[0] == '[':
				header = ""
			}
			first = i + 1
		}
		statement += line
		tree, err := parse(header + statement)
		if err != nil {
			continue // it goes on in the next line
		}
		note(lines, first, nil, tree)
		if header == "" && strings.HasPrefix(strings.TrimLeft(statement, " \t"), "[") {
			header = strings.TrimRight(statement, "\r\n") + "\n"
		}
		statement = ""
	}
	return lines
}

// note adds the keys below a value to lines that do not have them.
func note(lines map[string]int, line int, path []string, value any) {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			whole := append(path[:len(path):len(path)], name)
			if key := canonical(whole...); lines[key] == 0 {
				lines[key] = line
			}
			note(lines, line, whole, inner)
		}
	case []map[string]any:
		for _, inner := range v {
			note(lines, line, path, inner)
		}
	case []any:
		for _, inner := range v {
			note(lines, line, path, inner)
		}
	}
}

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
