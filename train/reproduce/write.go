package reproduce

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spikedhs/spikedhs/train/run"
	texts "github.com/spikedhs/spikedhs/train/task"
)

// Names of the files that [Result.Write] leaves in the folder of the experiment.
const (
	ResultsMarkdown = "results.md"
	ResultsJSON     = "results.json"
	ResultsCSV      = "results.csv"
)

// Write leaves tables, numbers and drawings in the folder of the experiment in out,
// and returns the paths of the drawings.
func (r *Result) Write(out string) (drawings []string, err error) {
	dir := filepath.Join(out, r.Experiment)
	for name, write := range map[string]func(io.Writer) error{
		ResultsMarkdown: func(w io.Writer) error { return r.Markdown(w, "") },
		ResultsJSON:     func(w io.Writer) error { return writeJSON(w, r) },
		ResultsCSV:      r.CSV,
	} {
		if err := run.WriteFileAtomic(filepath.Join(dir, name), write); err != nil {
			return nil, fmt.Errorf("reproduce: %w", err)
		}
	}
	return r.draw(dir, "")
}

// draw writes the drawings into a folder, with a prefix before their names.
func (r *Result) draw(dir, prefix string) ([]string, error) {
	figures, err := r.Figures()
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, f := range figures {
		path := filepath.Join(dir, prefix+f.Name+".svg")
		err := run.WriteFileAtomic(path, func(w io.Writer) error { _, err := w.Write(f.SVG); return err })
		if err != nil {
			return nil, fmt.Errorf("reproduce: %w", err)
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// Tables are the tables of the result.
func (r *Result) Tables() ([]Table, error) {
	e, err := FindExperiment(r.Experiment)
	if err != nil {
		return nil, err
	}
	return e.tables(r), nil
}

// Figures are the drawings of the result: those of what has ended.
func (r *Result) Figures() ([]Figure, error) {
	e, err := FindExperiment(r.Experiment)
	if err != nil {
		return nil, err
	}
	return e.figures(r)
}

// Text writes the tables for a terminal.
func (r *Result) Text(w io.Writer) error {
	tables, err := r.Tables()
	if err != nil {
		return err
	}
	for _, t := range tables {
		if err := t.Text(w); err != nil {
			return err
		}
		if _, err := io.WriteString(w, "\n"); err != nil {
			return err
		}
	}
	return nil
}

// Markdown writes tables, drawings and what was run for a document. Drawings are
// named with a prefix before their file names.
func (r *Result) Markdown(w io.Writer, prefix string) error {
	tables, err := r.Tables()
	if err != nil {
		return err
	}
	figures, err := r.Figures()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n\n", r.About)
	for _, t := range tables {
		if err := t.Markdown(&b); err != nil {
			return err
		}
		b.WriteString("\n")
	}
	if len(tables) == 0 {
		b.WriteString("No run has ended yet that these tables are made of.\n\n")
	}
	for _, f := range figures {
		fmt.Fprintf(&b, "![%s](%s%s.svg)\n\n", strings.NewReplacer("[", "(", "]", ")").Replace(f.Title), prefix, f.Name)
	}
	fmt.Fprintf(&b, "%s\n", r.facts())
	_, err = w.Write(b.Bytes())
	return err
}

// facts say how the numbers were made.
func (r *Result) facts() string {
	text := fmt.Sprintf("Command: `spikedhs reproduce %s --scale %s --dataset %s --seeds %s%s`. ", r.Experiment, r.Scale, r.Data, list(r.Seeds), r.flags())
	if m := r.Machine; m.Device != "" {
		text += fmt.Sprintf("Machine: %s, %s a run, %s, libtorch %s, version %s. ", m.Device, texts.Plural(m.Threads, "thread"), m.Precision, m.Libtorch, m.Version)
	}
	ended, all, seconds := 0, 0, 0.0
	for _, row := range r.Rows {
		all += len(r.Seeds)
		for _, one := range row.ended() {
			ended++
			seconds += one.Seconds
		}
	}
	text += fmt.Sprintf("%d of %d runs have ended, %.0f minutes of training in all. ", ended, all, seconds/60)
	return text + fmt.Sprintf("Settings of all rows: %s.", r.Settings[0]+" with `"+strings.Join(r.Settings[1:], "`, `")+"`")
}

// flags are the settings that the user gave, as a command line has them.
func (r *Result) flags() string {
	var text string
	for i, word := range r.Command {
		if word == "--set" && i+1 < len(r.Command) {
			text += " --set " + r.Command[i+1]
		}
		if strings.HasPrefix(word, "--set=") {
			text += " " + word
		}
	}
	return text
}

// list writes numbers with commas between them.
func list(numbers []int64) string {
	words := make([]string, len(numbers))
	for i, n := range numbers {
		words[i] = fmt.Sprint(n)
	}
	return strings.Join(words, ",")
}

// Marks around the part of a document that [Update] replaces.
const (
	markBegin = "<!-- reproduce %s -->"
	markEnd   = "<!-- end of %s -->"
)

// Update puts the tables of results into a document, each between the lines
// "<!-- reproduce NAME -->" and "<!-- end of NAME -->" for its experiment, and its
// drawings into the folder img beside it. Everything else in the document stays. It is an error
// if a result has no such place; nothing is then written.
func Update(document string, results ...*Result) error {
	text, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	base := "img/" + strings.TrimSuffix(filepath.Base(document), filepath.Ext(document)) + "-"
	for _, r := range results {
		begin, end := fmt.Sprintf(markBegin, r.Experiment), fmt.Sprintf(markEnd, r.Experiment)
		var part bytes.Buffer
		if err := r.Markdown(&part, base); err != nil {
			return err
		}
		if text, err = Between(document, text, begin, end, part.Bytes()); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Join(filepath.Dir(document), "img"), 0o777); err != nil {
		return err
	}
	for _, r := range results {
		if _, err := r.draw(filepath.Dir(document), base); err != nil {
			return err
		}
	}
	return run.WriteFileAtomic(document, func(w io.Writer) error { _, err := w.Write(text); return err })
}

// Between is the text of a document with other lines between two that it has; nothing
// else changes. It is an error if the document lacks them.
func Between(document string, text []byte, begin, end string, lines []byte) ([]byte, error) {
	before, rest, found := bytes.Cut(text, []byte(begin))
	_, after, ended := bytes.Cut(rest, []byte(end))
	if !found || !ended {
		return nil, fmt.Errorf("%s has no place for these tables: put the lines %q and %q into it", document, begin, end)
	}
	return slices.Concat(before, []byte(begin+"\n\n"), lines, []byte("\n"+end), after), nil
}
