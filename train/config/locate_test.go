package config

import (
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const tricky = `# [fake]
top = 1 # trailing = 2
"quoted key" = 'x = 1'
dotted . "in \u0061" . 'three' = """
[fake]
a = 1
two quotes"" \""" fake = 2
"""

[ table ] # [fake]
list = [ 1, # a = 2
  "]", ['b = 3',
  '''
  c = 4'''], { in = 5,
    d.e = 6 },
]
inline = { f = 7, g = { h = 8 }, i = [ { j = 9 } ] }
date = 1979-05-27 07:32:00
  [table.sub."x.y"]
  k = -0.0
[[many]]
l = """""" # empty
m = ''''''''
[[many]]
l = "\\" # an escaped backslash
last = true`

func TestKeyLines(t *testing.T) {
	want := map[string]int{
		"top": 2, `"quoted key"`: 3, "dotted": 4, `dotted."in a"`: 4, `dotted."in a".three`: 4,
		"table": 10, "table.list": 11, "table.list.in": 11, "table.list.d": 11, "table.list.d.e": 11, // the value begins there
		"table.inline": 17, "table.inline.f": 17, "table.inline.g": 17, "table.inline.g.h": 17,
		"table.inline.i": 17, "table.inline.i.j": 17, "table.date": 18,
		"table.sub": 19, `table.sub."x.y"`: 19, `table.sub."x.y".k`: 20,
		"many": 21, "many.l": 22, "many.m": 23, "many.last": 26,
	}
	assert.Equal(t, want, keyLines(tricky))
}

func TestKeyLinesCountsEveryKindOfLine(t *testing.T) {
	assert.Equal(t, map[string]int{"a": 1, "b": 2, "c": 4}, keyLines("\ufeffa = 1\r\nb = 2 # x\r\n\r\nc = 3"))
}

func TestKeyLinesStopsAtNonsense(t *testing.T) {
	for _, document := range []string{"", "=", "[", "[[", "a", "a =", "a = [", "a = [}", "a = {", "a = {]", "a = {b", "a = \"", "a = \"\\", "a = '''", "a.", "[a.", "\"", "a = ]\nb = 1"} {
		assert.NotPanics(t, func() { keyLines(document) }, document)
	}
}

// requireLocated checks that every key the parser reports has a line.
func requireLocated(t *testing.T, document string) {
	t.Helper()
	var tree map[string]any
	meta, err := toml.Decode(document, &tree)
	require.NoError(t, err)
	lines := keyLines(document)
	for _, key := range meta.Keys() {
		require.Positive(t, lines[key.String()], "%s in %q", key, document)
	}
}

func TestKeyLinesFindsWhatTheParserFinds(t *testing.T) {
	requireLocated(t, tricky)
}
