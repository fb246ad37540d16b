package config

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
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

// docs returns the doc comment of every key's field from the source.
func docs(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, file := range []string{"config.go", "network.go", "learning.go", "search.go", "train.go", "dgs.go", "stereo.go"} {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		require.NoError(t, err)
		ast.Inspect(tree, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok || spec.Name.Name == "Config" || spec.Name.Name == "Tasks" {
				return true
			}
			for _, field := range spec.Type.(*ast.StructType).Fields.List {
				if field.Tag == nil {
					continue // Learning
				}
				tag := reflect.StructTag(strings.Trim(field.Tag.Value, "`")).Get("toml")
				found[strings.ToLower(spec.Name.Name)+"."+tag] = strings.TrimSpace(field.Doc.Text())
			}
			return false
		})
	}
	return found
}

func TestDocCommentsMatchTheTable(t *testing.T) {
	comments := docs(t)
	presets := map[string]string{}
	for _, k := range keys {
		presets[k.Name] = k.Default() + " (" + k.Source + ")"
	}
	for _, k := range keys {
		want := "Default " + presets[k.Name] + "."
		section, name, _ := strings.Cut(k.Name, ".")
		if _, shared := comments["learning."+name]; shared && (section == "search" || section == "train") {
			k.Name = "learning." + name
			want = "Default of a search " + presets["search."+name] + ", of a training " + presets["train."+name] + "."
		}
		if k.Unit != "" {
			want = "Unit: " + k.Unit + ". " + want
		}
		assert.True(t, strings.HasSuffix(strings.ReplaceAll(comments[k.Name], "\n", " "), want),
			"the comment of %s should end in %q: %q", k.Name, want, comments[k.Name])
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
	assert.Contains(t, lines, "| `search.epochs` | Length of the search | epochs | at least 1 | `50` | paper 4.1.1 |")
	for _, k := range keys {
		assert.True(t, slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, "| `"+k.Name+"` | ") }), k.Name)
	}
	for _, line := range lines {
		if strings.HasPrefix(line, "|") {
			assert.Equal(t, 7, strings.Count(line, "|"), line)
		}
	}
}
