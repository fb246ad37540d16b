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

// The check of links finds what is wrong.
func TestDocumentsLinksCheckCanFail(t *testing.T) {
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
}
