package genotype

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// FormatVersion is the version of the format that this package writes, and the
// newest that it reads.
const FormatVersion = 3

// MaxLevel is the deepest resolution level of the layer trellis.
const MaxLevel = 3

// Names of the subnets of a chain of cells; see [New]. Networks with other parts
// name theirs as they like.
const (
	Normal    = "normal"
	Reduction = "reduction"
)

// Downsample says how a chain of cells lowers its resolution.
type Downsample string

const (
	// DownsampleReduction uses reduction cells with a wiring of their own, whose
	// edges from s0 and s1 have stride 2.
	DownsampleReduction Downsample = "reduction"
	// DownsampleNearest uses one cell everywhere and resizes s0 and s1 by
	// nearest interpolation, which keeps spikes binary.
	DownsampleNearest Downsample = "nearest"
)

func unknownDownsample(d Downsample) error {
	return invalid("downsample", "%q is unknown; use %q or %q", d, DownsampleReduction, DownsampleNearest)
}

// Genotype is a searched architecture, ready to be trained.
type Genotype struct {
	// Name is a short one-line title.
	Name string
	// Origin tells in one line where the genotype comes from; it may be empty.
	Origin string
	// Subnets are the searched parts of the network, in its order.
	Subnets []Subnet
	// Ops names the candidate operations of the search.
	Ops []string
}

// Subnet is a searched part of a network: one cell, repeated along a path through
// the trellis of resolution levels.
type Subnet struct {
	// Name is a word such as "normal" or "feature".
	Name string
	// Cell is the wiring of all cells.
	Cell Cell
	// Path holds the level of every cell's output, one entry a cell: level l has
	// 1/2^l of the resolution of level 0. It starts at level 0 or 1 and moves by at
	// most one from cell to cell, either way. Subnet normal may do without: the levels
	// are then chosen by who builds the network.
	Path []int
	// Levels are those that a cell without a path was found or published with. They
	// are a record and decide nothing.
	Levels []int
}

// New returns a valid genotype over all candidate operations for a chain of cells
// whose levels who builds the network chooses. With a reduction cell it down-samples
// by reduction cells, with nil by nearest interpolation.
func New(name string, normal Cell, reduction *Cell) (Genotype, error) {
	subnets := []Subnet{{Name: Normal, Cell: normal}}
	if reduction != nil {
		subnets = append(subnets, Subnet{Name: Reduction, Cell: *reduction})
	}
	return Of(name, subnets...)
}

// NewOnPath returns a valid genotype of one cell and the path that the network's
// cells take through the levels.
func NewOnPath(name string, cell Cell, path []int) (Genotype, error) {
	if len(path) == 0 {
		return Genotype{}, invalid(Normal+".path", "empty; list the level of every cell's output")
	}
	return Of(name, Subnet{Name: Normal, Cell: cell, Path: path})
}

// Of returns a valid genotype of subnets over the operations of the paper and those that
// the subnets have besides. It copies what it is given.
func Of(name string, subnets ...Subnet) (Genotype, error) {
	g := Genotype{Name: name, Ops: OpNames()}
	for _, n := range subnets {
		for _, e := range n.Cell.Edges {
			if e.Op.Valid() && !slices.Contains(g.Ops, e.Op.String()) {
				g.Ops = append(g.Ops, e.Op.String())
			}
		}
		n.Cell, n.Path, n.Levels = n.Cell.clone(), slices.Clone(n.Path), slices.Clone(n.Levels)
		g.Subnets = append(g.Subnets, n)
	}
	return g, g.Validate()
}

// Over returns the genotype as one of a search over the given operations.
func (g Genotype) Over(ops []Op) Genotype {
	g.Ops = OpNames(ops...)
	return g
}

// Published reports whether its cells have the operations of the paper alone.
func (g Genotype) Published() bool {
	searched := func(e Edge) bool { return !e.Op.Published() }
	return !slices.ContainsFunc(g.Subnets, func(n Subnet) bool { return slices.ContainsFunc(n.Cell.Edges, searched) })
}

// operations are those of the search.
func (g Genotype) operations() []Op {
	var list []Op
	for _, name := range g.Ops {
		if o, err := ParseOp(name); err == nil {
			list = append(list, o)
		}
	}
	return list
}

// Subnet returns the subnet of that name, an empty one if there is none.
func (g Genotype) Subnet(name string) Subnet {
	if i := g.index(name); i >= 0 {
		return g.Subnets[i]
	}
	return Subnet{}
}

func (g Genotype) index(name string) int {
	return slices.IndexFunc(g.Subnets, func(n Subnet) bool { return n.Name == name })
}

// Has tells whether the genotype has subnets of all these names.
func (g Genotype) Has(names ...string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return g.index(name) < 0 })
}

// Normal is the cell of a chain that keeps the resolution, or its only cell.
func (g Genotype) Normal() Cell { return g.Subnet(Normal).Cell }

// Reduction is the cell of a chain that halves the resolution, nil where there is none.
func (g Genotype) Reduction() *Cell {
	if !g.Has(Reduction) {
		return nil
	}
	cell := g.Subnet(Reduction).Cell
	return &cell
}

// Downsample is how a chain of these cells lowers its resolution.
func (g Genotype) Downsample() Downsample {
	if g.Has(Reduction) {
		return DownsampleReduction
	}
	return DownsampleNearest
}

// Path is the path of a chain of cells, empty where who builds it chooses the levels.
func (g Genotype) Path() []int { return g.Subnet(Normal).Path }

// FollowsPath tells whether a chain of cells has the levels of its [Genotype.Path].
func (g Genotype) FollowsPath() bool { return len(g.Path()) > 0 }

// Validate reports the first fault as a one-line error that wraps ErrInvalid and
// names the place, such as normal.edges[2].edge.
func (g Genotype) Validate() error {
	return cmp.Or(g.checkTexts(), g.checkOps(), g.checkSubnets(), g.checkChain())
}

func (g Genotype) checkTexts() error {
	if g.Name == "" {
		return invalid("name", "empty; give the genotype a short name")
	}
	texts := []struct{ where, text string }{{"name", g.Name}, {"origin", g.Origin}}
	for _, t := range texts {
		if !utf8.ValidString(t.text) {
			return invalid(t.where, "not valid UTF-8; save the text as UTF-8")
		}
		if strings.ContainsFunc(t.text, isBreak) {
			return invalid(t.where, "holds a line break or control character; write one plain line")
		}
	}
	return nil
}

func isBreak(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }

func (g Genotype) checkOps() error {
	if len(g.Ops) == 0 {
		return invalid("ops", "empty; list the candidate operations: %s", strings.Join(opNames, ", "))
	}
	for i, name := range g.Ops {
		where := element("ops", i)
		if _, err := parseOp(where, name); err != nil {
			return err
		}
		if slices.Contains(g.Ops[:i], name) {
			return invalid(where, "%s is listed twice; remove one", name)
		}
	}
	return nil
}

func (g Genotype) checkSubnets() error {
	if len(g.Subnets) == 0 {
		return invalid("subnets", "empty; a genotype has at least one")
	}
	for i, n := range g.Subnets {
		where := element("subnets", i) + ".name"
		if n.Name == "" || strings.Trim(n.Name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			return invalid(where, "%q; use a word of small letters, digits and _", n.Name)
		}
		if g.index(n.Name) < i {
			return invalid(where, "%s is there twice; remove one", n.Name)
		}
		if err := n.Cell.validate(n.Name); err != nil {
			return err
		}
		for k, e := range n.Cell.Edges {
			if !slices.Contains(g.Ops, e.Op.String()) {
				return invalid(element(n.Name+".edges", k)+".op", "%s is not among the candidates in ops; add it there or choose another", e.Op)
			}
		}
		if len(n.Path) > 0 && len(n.Levels) > 0 {
			return invalid(n.Name+".levels", "a record of levels beside a path to follow; remove one")
		}
		if err := cmp.Or(checkLevels(n.Name+".path", n.Path), checkLevels(n.Name+".levels", n.Levels)); err != nil {
			return err
		}
	}
	return nil
}

// checkChain checks what subnets have to do with each other: normal and reduction
// make one chain and stand alone, every other one follows a path of its own.
func (g Genotype) checkChain() error {
	normal, reduction := g.Subnet(Normal), g.Subnet(Reduction)
	for _, n := range g.Subnets {
		inChain := n.Name == Normal || n.Name == Reduction
		switch {
		case !g.Has(Normal) && n.Name == Reduction:
			return invalid("subnets", "a reduction cell without a normal one; add it")
		case g.Has(Normal) && !inChain:
			return invalid("subnets", "%s beside a chain of cells; a genotype has normal and reduction, or subnets of other names", n.Name)
		case !inChain && len(n.Path) == 0:
			return invalid(n.Name+".path", "empty; list the level of every cell's output")
		}
	}
	switch {
	case !g.Has(Reduction):
		return nil
	case len(reduction.Path)+len(reduction.Levels) > 0:
		return invalid("reduction.path", "reduction cells stand where the levels of the normal ones change; remove it")
	case len(normal.Path) > 0:
		return invalid("reduction", "cells on a path resize by nearest interpolation; remove the cell or the path")
	case reduction.Cell.Nodes != normal.Cell.Nodes:
		return invalid("reduction.nodes", "%d, but normal.nodes is %d; both cells need the same number of nodes",
			reduction.Cell.Nodes, normal.Cell.Nodes)
	}
	return nil
}

func checkLevels(where string, path []int) error {
	previous := 0
	for i, level := range path {
		if level < 0 || level > MaxLevel {
			return invalid(element(where, i), "level %d is out of range; use 0..%d", level, MaxLevel)
		}
		if level < previous-1 || level > previous+1 {
			return invalid(element(where, i), "level jumps from %d to %d; change it by at most one per cell, starting from level 0",
				previous, level)
		}
		previous = level
	}
	return nil
}
