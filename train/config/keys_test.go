package config

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// structNames are the names of the keys in the order of the fields of Config.
func structNames() []string {
	var names []string
	top := reflect.TypeFor[Config]()
	for _, section := range reflect.VisibleFields(top) {
		if section.Anonymous {
			continue
		}
		for _, key := range reflect.VisibleFields(section.Type) {
			if !key.Anonymous {
				names = append(names, section.Tag.Get("toml")+"."+key.Tag.Get("toml"))
			}
		}
	}
	return names
}

func TestTableMatchesStructs(t *testing.T) {
	names := structNames()
	require.Len(t, keys, len(names))
	for i, k := range Keys() {
		assert.Equal(t, names[i], k.Name)
		assert.NotEmpty(t, k.Doc, k.Name)
		assert.NotEmpty(t, k.Source, k.Name)
		assert.NotContains(t, k.comment(), "\n")
		assert.True(t, isSection(k.Section()), k.Name)
	}
}

func TestKeysIsACopy(t *testing.T) {
	Keys()[0].Name = "changed"
	assert.Equal(t, "run.name", keys[0].Name)
}

func TestWriteReference(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, WriteReference(&out))
	lines := strings.Split(out.String(), "\n")
	assert.Contains(t, lines, "| `search.epochs` | Length | epochs | at least 1 | `50` | paper 4.1.1 |")
	for _, k := range keys {
		assert.True(t, slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, "| `"+k.Name+"` | ") }), k.Name)
	}
	for _, line := range lines {
		if strings.HasPrefix(line, "|") {
			assert.Equal(t, 7, strings.Count(line, "|"), line)
		}
	}
}
