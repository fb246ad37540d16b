package config

import (
	"cmp"
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

// unknown is the problem of a key, or a section, that does not exist.
func unknown(parts ...string) problem {
	key := canonical(parts...)
	kind := "key"
	if len(parts) == 1 && len(keysEndingIn(key)) == 0 {
		kind = "section"
	}
	text := "unknown " + kind + " " + key
	if near := nearest(key); near != "" {
		text += "; did you mean " + near + "?"
	}
	return problem{key, text}
}

// nearest returns the known names nearest to an unknown one, empty if none is near.
func nearest(name string) string {
	name = strings.ToLower(name)
	section, leaf, dotted := strings.Cut(name, ".")
	if !dotted {
		leaf = name
	}
	known := strings.Join(keysEndingIn(leaf), " or ")
	if known != "" && (!dotted || isSection(section) && !isKey(name)) {
		return known // in the wrong section
	}
	var names []string
	for _, s := range sections {
		if !dotted {
			names = append(names, s.name)
		}
	}
	for _, k := range keys {
		if dotted {
			names = append(names, k.Name)
		}
	}
	return cmp.Or(Closest(name, 1+max(1, len(leaf)/3), names), known)
}

// Closest is the candidate that the fewest changes of single letters make of a word,
// fewer than limit; "" if none is so near.
func Closest(word string, limit int, candidates []string) string {
	best := ""
	for _, candidate := range candidates {
		if d := distance(word, candidate); d < limit {
			best, limit = candidate, d
		}
	}
	return best
}

// keysEndingIn returns the full names of the keys whose last part is leaf.
func keysEndingIn(leaf string) []string {
	var full []string
	for _, k := range keys {
		if strings.HasSuffix(k.Name, "."+leaf) {
			full = append(full, k.Name)
		}
	}
	return full
}

// distance is the Levenshtein distance: how many single bytes must be put in,
// taken out or replaced to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
