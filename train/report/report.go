package report

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"unicode"

	"github.com/spikedhs/spikedhs/train/run"
)

//go:embed page.html page.css
var assets embed.FS

var pageTemplate = template.Must(template.ParseFS(assets, "page.html"))

// Write writes the report of one or more run folders as HTML. With several it
// begins with a table that compares them.
//
// The error is one line; it wraps [run.ErrNotRun] for a place that holds no run.
// Nothing is written in that case.
func Write(w io.Writer, folders ...string) error {
	if len(folders) == 0 {
		return errors.New("report: no run folder given")
	}
	var all []*source
	for _, dir := range folders {
		s, err := load(dir)
		if err != nil {
			return fmt.Errorf("report: %w", err)
		}
		all = append(all, s)
	}
	var text bytes.Buffer
	if err := pageTemplate.Execute(&text, newPage(all)); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if _, err := w.Write(bytes.Map(printable, text.Bytes())); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// printable replaces what must not be in a page: control characters, which names may
// contain.
func printable(r rune) rune {
	if unicode.IsControl(r) && r != '\n' && r != '\t' || r == '\ufffe' || r == '\uffff' {
		return unicode.ReplacementChar
	}
	return r
}

// WriteFile writes the report to a file as [Write] does. The file is replaced in one
// step, so path is afterwards the whole old or the whole new report.
func WriteFile(path string, folders ...string) error {
	return run.WriteFileAtomic(path, func(w io.Writer) error { return Write(w, folders...) })
}
