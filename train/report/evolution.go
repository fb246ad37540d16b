package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spikedhs/spikedhs/train/run"
)

// evolution is how the decoded genotype changed over the epochs of a search.
type evolution struct {
	Summary string
	Cells   []cellHead
	Nodes   []string // heads of the columns of all cells
	Stages  []stage
	Changed bool
	Long    bool // too long to be shown at once
}

// cellHead is the head over the columns of a cell.
type cellHead struct {
	Name  string
	Nodes int
}

// stage is a genotype and the epochs in a row that decoded it.
type stage struct {
	Epochs   string
	Hash     string
	Nodes    []nodeSum
	from, to int64
}

// nodeSum is the right side of the equation of a node.
type nodeSum struct {
	Terms []term
	Was   string // the sum before, if it has changed

	name string
}

// term is an operation on an input.
type term struct {
	Text string
	New  bool
}

// longEvolution is the number of stages from which on the table is folded up.
const longEvolution = 15

// newEvolution follows the cells of the given names over the records of search epochs;
// nil if none has equations.
func newEvolution(records []run.Record, cells []string) *evolution {
	var e evolution
	epochs := 0
	for _, r := range records {
		next, heads := newStage(r, cells)
		if len(next.Nodes) == 0 {
			continue
		}
		epochs++
		if len(e.Stages) > 0 {
			now := &e.Stages[len(e.Stages)-1]
			if !next.compare(*now) {
				now.to = next.to
				continue
			}
		} else {
			e.Cells = heads
			for _, n := range next.Nodes {
				e.Nodes = append(e.Nodes, n.name)
			}
		}
		e.Stages = append(e.Stages, next)
	}
	if len(e.Stages) == 0 {
		return nil
	}
	for i := range e.Stages {
		e.Stages[i].Epochs = e.Stages[i].span()
	}
	e.Summary = summarize(e.Stages, epochs)
	e.Changed, e.Long = len(e.Stages) > 1, len(e.Stages) > longEvolution
	return &e
}

// newStage reads the equations of an epoch.
func newStage(r run.Record, cells []string) (stage, []cellHead) {
	epoch, _ := r.Fields.Int(epochKey)
	s := stage{from: epoch, to: epoch}
	s.Hash, _ = r.Fields.Text("genotype")
	var heads []cellHead
	for _, cell := range cells {
		var equations []string
		if r.Fields.Decode(cell, &equations) != nil || len(equations) == 0 {
			continue
		}
		heads = append(heads, cellHead{cell + " cell", len(equations)})
		for _, equation := range equations {
			s.Nodes = append(s.Nodes, parseEquation(equation))
		}
	}
	return s, heads
}

// parseEquation splits "n0 = b3(s1) + b3(s0)". What does not look like that is one
// term.
func parseEquation(equation string) nodeSum {
	name, right, ok := strings.Cut(equation, " = ")
	if !ok {
		name, right = "", equation
	}
	n := nodeSum{name: name}
	for part := range strings.SplitSeq(right, " + ") {
		n.Terms = append(n.Terms, term{Text: part})
	}
	return n
}

// compare marks what is new since the stage before and reports whether anything is.
// The order of a sum does not matter.
func (s *stage) compare(before stage) bool {
	changed := len(s.Nodes) != len(before.Nodes)
	for i := range min(len(s.Nodes), len(before.Nodes)) {
		n, old := &s.Nodes[i], before.Nodes[i]
		same := len(n.Terms) == len(old.Terms)
		for t := range n.Terms {
			n.Terms[t].New = !old.has(n.Terms[t].Text)
			same = same && !n.Terms[t].New
		}
		if !same {
			n.Was, changed = old.String(), true
		}
	}
	return changed
}

func (n nodeSum) has(text string) bool {
	return slices.ContainsFunc(n.Terms, func(t term) bool { return t.Text == text })
}

func (n nodeSum) String() string {
	var parts []string
	for _, t := range n.Terms {
		parts = append(parts, t.Text)
	}
	return strings.Join(parts, " + ")
}

// span writes the epochs of a stage.
func (s stage) span() string {
	if s.from == s.to {
		return fmt.Sprint(s.from)
	}
	return fmt.Sprintf("%d–%d", s.from, s.to)
}

func summarize(stages []stage, epochs int) string {
	final := stages[len(stages)-1]
	if len(stages) == 1 {
		return fmt.Sprintf("The genotype stayed the same over %s.", plural(epochs, "epoch"))
	}
	return fmt.Sprintf("The genotype changed %s in %s; the last one stands since epoch %d.",
		plural(len(stages)-1, "time"), plural(epochs, "epoch"), final.from)
}
