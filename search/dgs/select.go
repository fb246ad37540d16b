package dgs

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// ErrUnknownLayer is wrapped by errors about a pattern that fits no layer.
var ErrUnknownLayer = errors.New("no such layer")

// Select picks layers by patterns, in the order of all and each once. In a pattern
// * stands for any part of a name between dots, ? for one character, and [5-7] for
// a range of them. A pattern that fits the beginning of a name up to a dot picks
// what lies below: "cell5" is every node of cell 5.
//
// A pattern that fits nothing is an error that lists what there is.
func Select(all []*Layer, patterns ...string) ([]*Layer, error) {
	picked := make([]bool, len(all))
	for _, pattern := range patterns {
		found := false
		for i, l := range all {
			fits, err := matches(pattern, l.Name)
			if err != nil {
				return nil, fmt.Errorf("dgs: layer pattern %q: %w", pattern, err)
			}
			picked[i], found = picked[i] || fits, found || fits
		}
		if !found {
			return nil, fmt.Errorf("dgs: %q: %w; there are %s", pattern, ErrUnknownLayer, names(all))
		}
	}
	var list []*Layer
	for i, l := range all {
		if picked[i] {
			list = append(list, l)
		}
	}
	return list, nil
}

// matches tells whether a pattern fits a name or a beginning of it, dot by dot.
func matches(pattern, name string) (bool, error) {
	wanted, have := strings.Split(pattern, "."), strings.Split(name, ".")
	all := len(wanted) <= len(have)
	for i, p := range wanted {
		part := ""
		if i < len(have) {
			part = have[i]
		}
		fits, err := path.Match(p, part)
		if err != nil { // asked for every part: a bad pattern is always told
			return false, fmt.Errorf("%w: %q is no pattern", ErrUnknownLayer, p)
		}
		all = all && fits
	}
	return all, nil
}

// names lists layers.
func names(all []*Layer) string {
	if len(all) == 0 {
		return "none"
	}
	var list []string
	for _, l := range all {
		list = append(list, l.Name)
	}
	return strings.Join(list, ", ")
}
