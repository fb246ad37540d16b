package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// root is the folder of the sources, from that of this package.
const root = "../.."

// document is a page of the documents, apart into prose and commands.
type document struct {
	name    string         // from the root, as in docs/paper.md
	lines   []string       // of the prose; the lines of blocks of code are empty
	code    []string       // the lines of blocks of code, fenced or indented
	anchors map[string]int // of its headings, with how often each came
}

var (
	inlineCode = regexp.MustCompile("`([^`]+)`")
	link       = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	linkText   = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)
)

// parseDocument takes a page apart.
func parseDocument(name, text string) document {
	d := document{name: name, anchors: map[string]int{}}
	fenced, blank := false, true
	for _, line := range strings.Split(text, "\n") {
		bare := strings.TrimSpace(line)
		fence := strings.HasPrefix(bare, "```")
		// An indented block begins behind an empty line and goes on with it.
		indented := strings.HasPrefix(line, "    ") && (blank || len(d.lines) > 0 && d.lines[len(d.lines)-1] == "")
		blank = bare == ""
		switch {
		case fence:
			fenced = !fenced
			d.lines = append(d.lines, "")
		case fenced || indented:
			d.code = append(d.code, bare)
			d.lines = append(d.lines, "")
		default:
			d.lines = append(d.lines, line)
			if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
				d.addAnchor(title)
			}
		}
	}
	return d
}

// addAnchor notes the anchor that GitHub gives a heading: lower case, letters, digits,
// dashes and underscores kept, spaces to dashes, the second of a name with -1 behind it.
func (d *document) addAnchor(title string) {
	title = strings.ReplaceAll(linkText.ReplaceAllString(title, "$1"), "`", "")
	anchor := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, title)
	n := d.anchors[anchor]
	d.anchors[anchor]++
	if n > 0 {
		d.anchors[fmt.Sprintf("%s-%d", anchor, n)]++
	}
}

// documents are the pages that this project keeps for its readers.
func documents(t *testing.T) map[string]document {
	t.Helper()
	pages := map[string]document{}
	paths, err := filepath.Glob(root + "/docs/*.md")
	require.NoError(t, err)
	for _, file := range append(paths, root+"/README.md", root+"/cpp/README.md") {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		name, err := filepath.Rel(root, file)
		require.NoError(t, err)
		pages[name] = parseDocument(name, string(text))
	}
	require.Greater(t, len(pages), 10)
	return pages
}

// brokenLinks are the links of a page that lead nowhere: no file, no heading of that
// name, or no symbol of that name in a source file.
func (d document) brokenLinks(pages map[string]document) (broken []string) {
	for _, line := range d.lines {
		for _, m := range link.FindAllStringSubmatch(line, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if err := d.follow(m[1], pages); err != nil {
				broken = append(broken, fmt.Sprintf("%s: %s: %v", d.name, m[1], err))
			}
		}
	}
	return broken
}

func (d document) follow(target string, pages map[string]document) error {
	to, fragment, _ := strings.Cut(target, "#")
	name := d.name
	if to != "" {
		name = path.Join(path.Dir(d.name), to)
	}
	file := filepath.Join(root, name)
	if to != "" {
		if _, err := os.Stat(file); err != nil {
			return fmt.Errorf("no such file")
		}
	}
	if fragment == "" {
		return nil
	}
	if page, ok := pages[name]; ok {
		if page.anchors[fragment] == 0 {
			return fmt.Errorf("no such heading")
		}
		return nil
	}
	return findSymbol(file, fragment)
}

// findSymbol looks a declaration up: Name or Type.Member in Go, a name outside of
// comments in C++ and CUDA.
func findSymbol(file, symbol string) error {
	if filepath.Ext(file) == ".go" {
		names := map[string]bool{}
		if err := declared(file, names); err != nil {
			return err
		}
		if !names[symbol] {
			return fmt.Errorf("no such declaration")
		}
		return nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !regexp.MustCompile(`(?m)^[^/\n]*\b` + regexp.QuoteMeta(symbol) + `\b`).Match(text) {
		return fmt.Errorf("no such name")
	}
	return nil
}

// declared adds the names that a Go file declares at its top, and Type.Member for the
// methods and the fields of its types.
func declared(file string, names map[string]bool) error {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, declaration := range parsed.Decls {
		switch d := declaration.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if d.Recv != nil {
				name = receiver(d.Recv.List[0].Type) + "." + name
			}
			names[name] = true
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.ValueSpec:
					for _, name := range s.Names {
						names[name.Name] = true
					}
				case *ast.TypeSpec:
					names[s.Name.Name] = true
					for _, member := range members(s.Type) {
						names[s.Name.Name+"."+member] = true
					}
				}
			}
		}
	}
	return nil
}

func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

func members(e ast.Expr) (names []string) {
	var list *ast.FieldList
	switch e := e.(type) {
	case *ast.StructType:
		list = e.Fields
	case *ast.InterfaceType:
		list = e.Methods
	default:
		return nil
	}
	for _, field := range list.List {
		for _, name := range field.Names {
			names = append(names, name.Name)
		}
	}
	return names
}

func TestDocumentsLinks(t *testing.T) {
	pages := documents(t)
	for _, d := range pages {
		assert.Empty(t, d.brokenLinks(pages))
	}
}

// What the paper has is found from its page in one step: every equation, the algorithm,
// and every figure and table has a row with a link to code, one to a test or a page.
func TestPaperPage(t *testing.T) {
	page := documents(t)["docs/paper.md"]
	wanted := []string{"algorithm 1"}
	for what, n := range map[string]int{"equation": 7, "figure": 5, "table": 3} {
		for i := range n {
			wanted = append(wanted, fmt.Sprintf("%s %d", what, i+1))
		}
	}
	for _, what := range wanted {
		row := regexp.MustCompile(`(?im)^\| *` + what + `\b[^|]*\|.*$`).FindString(strings.Join(page.lines, "\n"))
		assert.NotEmpty(t, row, "docs/paper.md has no row %q", what)
		assert.Regexp(t, `\]\(\.\./[a-z/_0-9]+\.(go|cc|h)#\w`, row, "no link to code of %s", what)
		assert.GreaterOrEqual(t, len(link.FindAllString(row, -1)), 2, "%s has one link alone", what)
	}
}

func TestReadmeIsShort(t *testing.T) {
	text, err := os.ReadFile(root + "/README.md")
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	assert.Less(t, len(lines), 150)
	for i, line := range lines {
		assert.LessOrEqual(t, utf8.RuneCountInString(line), 120, "line %d", i+1)
	}
}

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

// The checks above find what is wrong.
func TestDocumentsChecksCanFail(t *testing.T) {
	d := parseDocument("docs/page.md", "# A `b`, c\n\n## A b c\n\ntext [x](none.md) [y](#a-b-c) [z](#a-b-c-1) [u](#a-b-c-2)\n"+
		"[ok](../go.mod) [w](../cmd/spikedhs/main.go#execute) [v](../cmd/spikedhs/main.go#executed) [web](https://x.y/z)\n\n"+
		"    spikedhs train [no](link)\n\n```\nspikedhs eval\n```\n")
	broken := strings.Join(d.brokenLinks(map[string]document{"docs/page.md": d}), "\n")
	for _, target := range []string{"none.md", "#a-b-c-2", "main.go#executed"} {
		assert.Contains(t, broken, target+":")
	}
	assert.Equal(t, 3, strings.Count(broken, "docs/page.md"), broken)
	assert.Equal(t, []string{"spikedhs train [no](link)", "spikedhs eval"}, d.code)
	assert.Error(t, findSymbol(root+"/cpp/spike/lif_step.h", "lif_discharge"))
	assert.NoError(t, findSymbol(root+"/cpp/spike/lif_step.h", "lif_charge"))

	n := projectNames(t)
	for _, code := range []string{"train.Trained.Nothing", "torch.Nothing", "TestNothing", "docs/nothing.md", "make nothing"} {
		assert.NotEmpty(t, n.wrong(code), code)
	}
	for _, code := range []string{"torch.Scope", "torch.Scope.Close", "TestDocumentsNames", "docs/*.md", "make test", "elsewhere.Name"} {
		assert.Empty(t, n.wrong(code), code)
	}
}
