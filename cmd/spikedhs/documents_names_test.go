package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// names is what inline code of the pages may refer to.
type names struct {
	packages map[string]map[string]bool // declarations, by the last part of a package's path
	tests    map[string]bool
	targets  string // Makefile
}

func projectNames(t *testing.T) names {
	t.Helper()
	n := names{packages: map[string]map[string]bool{}, tests: map[string]bool{}}
	for _, folder := range []string{"cmd", "configs", "bench", "data", "search", "spike", "torch", "train"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, folder), func(file string, _ os.DirEntry, err error) error {
			if err != nil || filepath.Ext(file) != ".go" {
				return err
			}
			if strings.HasSuffix(file, "_test.go") {
				return declared(file, n.tests)
			}
			name := filepath.Base(filepath.Dir(file))
			if n.packages[name] == nil {
				n.packages[name] = map[string]bool{}
			}
			return declared(file, n.packages[name])
		}))
	}
	makefile, err := os.ReadFile(root + "/Makefile")
	require.NoError(t, err)
	n.targets = string(makefile)
	return n
}

var (
	goName       = regexp.MustCompile(`^([a-z]+)\.([A-Z]\w*(?:\.[A-Z]\w*)?)$`)
	goNameInCode = regexp.MustCompile(`\b[a-z]+\.[A-Z]\w*`)
	testName     = regexp.MustCompile(`^(?:Test|Fuzz|Example)\w+$`)
	filePath     = regexp.MustCompile(`^(?:bench|cmake|cmd|configs|cpp|data|docs|examples|scripts|search|spike|torch|train)/(?:[\w/-]+|[\w./*-]+\.(?:cc|cu|go|h|json|jsonl|md|png|py|sh|svg|toml))$`)
	making       = regexp.MustCompile(`^(?:.* )?make ([a-z][a-z-]*)`)
)

// wrong says what is wrong about a piece of inline code, or nothing.
func (n names) wrong(code string) string {
	if m := goName.FindStringSubmatch(code); m != nil && n.packages[m[1]] != nil && !n.packages[m[1]][m[2]] {
		return "no such name in a package " + m[1]
	}
	if testName.MatchString(code) && !n.tests[code] {
		return "no such test"
	}
	if filePath.MatchString(code) && !n.exists(code) {
		return "no such file"
	}
	if m := making.FindStringSubmatch(code); m != nil && !strings.Contains(n.targets, "\n"+m[1]+":") {
		return "no such target of make"
	}
	return ""
}

// exists looks a path up from the root, and from cpp, as its page names files.
func (n names) exists(path string) bool {
	for _, from := range []string{root, root + "/cpp"} {
		if found, _ := filepath.Glob(filepath.Join(from, path)); len(found) > 0 {
			return true
		}
	}
	return false
}

// Files, names of Go, tests and targets of make that the pages name are there.
func TestDocumentsNames(t *testing.T) {
	n := projectNames(t)
	for _, d := range documents(t) {
		for _, line := range d.lines {
			for _, m := range inlineCode.FindAllStringSubmatch(line, -1) {
				assert.Empty(t, n.wrong(m[1]), "%s: `%s`", d.name, m[1])
			}
		}
		for _, line := range d.code {
			if making.MatchString(line) {
				assert.Empty(t, n.wrong(line), "%s: %s", d.name, line)
			}
			for _, name := range goNameInCode.FindAllString(line, -1) {
				assert.Empty(t, n.wrong(name), "%s: %s", d.name, line)
			}
		}
	}
}

var variable = regexp.MustCompile(`SPIKEDHS_[A-Z_]*[A-Z]`)

// Variables of the environment and of CMake that the pages name are read by something.
func TestDocumentsVariables(t *testing.T) {
	read := map[string]bool{}
	for _, from := range []string{"CMakeLists.txt", "Makefile", "cmake", "cmd", "cpp", "data", "scripts", "torch", "train"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, from), func(file string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(file) == ".md" || strings.HasPrefix(filepath.Base(file), "documents_") {
				return err
			}
			text, err := os.ReadFile(file)
			for _, name := range variable.FindAllString(string(text), -1) {
				read[name] = true
			}
			return err
		}))
	}
	for _, d := range documents(t) {
		for _, line := range slices.Concat(d.lines, d.code) {
			for _, name := range variable.FindAllString(line, -1) {
				assert.True(t, read[name], "%s: nothing reads %s", d.name, name)
			}
		}
	}
	assert.False(t, read["SPIKEDHS_"+"NOTHING"])
}

// The check of names finds what is wrong.
func TestDocumentsNamesCheckCanFail(t *testing.T) {
	n := projectNames(t)
	for _, code := range []string{"train.Trained.Nothing", "torch.Nothing", "TestNothing", "docs/nothing.md", "make nothing"} {
		assert.NotEmpty(t, n.wrong(code), code)
	}
	for _, code := range []string{"torch.Scope", "torch.Scope.Close", "TestDocumentsNames", "docs/*.md", "make test", "elsewhere.Name"} {
		assert.Empty(t, n.wrong(code), code)
	}
}
