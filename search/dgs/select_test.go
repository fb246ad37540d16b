package dgs

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func someLayers() []*Layer {
	var list []*Layer
	for _, name := range strings.Fields("stem0 stem1 cell0.node0 cell0.node1 cell5.node0 cell5.node1 cell51.node0.s0") {
		list = append(list, &Layer{Name: name})
	}
	return list
}

func TestSelect(t *testing.T) {
	for patterns, want := range map[string]string{
		"stem0":             "stem0",
		"stem?":             "stem0, stem1",
		"cell5":             "cell5.node0, cell5.node1",
		"cell5.node1 stem0": "stem0, cell5.node1",
		"*.node0":           "cell0.node0, cell5.node0, cell51.node0.s0",
		"cell[0-4]":         "cell0.node0, cell0.node1",
		"*":                 "stem0, stem1, cell0.node0, cell0.node1, cell5.node0, cell5.node1, cell51.node0.s0",
		"*.*.*":             "cell51.node0.s0",
		"stem0 * cell5":     "stem0, stem1, cell0.node0, cell0.node1, cell5.node0, cell5.node1, cell51.node0.s0",
		"":                  "none",
	} {
		list, err := Select(someLayers(), strings.Fields(patterns)...)
		require.NoError(t, err, patterns)
		assert.Equal(t, want, names(list), patterns)
	}
}

func TestSelectRefuses(t *testing.T) {
	for _, pattern := range []string{"", "stem2", "cell5.node2", "cell", "cell5.node0.s0", "stem0.x", "node0", "[", "cell5.[", ".", "cell5."} {
		_, err := Select(someLayers(), "stem0", pattern)
		require.ErrorIs(t, err, ErrUnknownLayer, pattern)
		assert.NotContains(t, err.Error(), "\n")
		if !strings.Contains(pattern, "[") {
			assert.ErrorContains(t, err, "cell0.node1, cell5.node0")
		}
	}
	_, err := Select(nil, "*")
	assert.ErrorContains(t, err, "there are none")
}

func FuzzSelect(f *testing.F) {
	for _, pattern := range []string{"stem0", "cell5.*", "[a-", "\\", "*.*.*.*", "cell[^5]"} {
		f.Add(pattern)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		list, err := Select(someLayers(), pattern)
		if err != nil {
			require.ErrorIs(t, err, ErrUnknownLayer)
			require.Empty(t, list)
			return
		}
		require.NotEmpty(t, list)
	})
}
