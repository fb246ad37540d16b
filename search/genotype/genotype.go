package genotype

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Versions of the genotype format. Encode writes the one of the value; Parse reads
// both.
const (
	// FreeVersion leaves the levels of the cells to who builds the network; a path in
	// it is a record of the levels that it was found or published with.
	FreeVersion = 1
	// PathVersion has a path that belongs to the architecture, found by a search of
	// layers: the network has one cell for each of its levels. A program that knows
	// version 1 alone refuses it instead of building another network.
	PathVersion = 2
	// FormatVersion is the newest version that this package reads.
	FormatVersion = PathVersion
)

// MaxLevel is the deepest resolution level of the layer trellis.
const MaxLevel = 3

// Downsample says how a network built from the genotype lowers its resolution.
type Downsample string

const (
	// DownsampleReduction uses reduction cells with a wiring of their own, whose
	// edges from s0 and s1 have stride 2.
	DownsampleReduction Downsample = "reduction"
	// DownsampleNearest uses one cell everywhere and resizes s0 and s1 by
	// nearest interpolation, which keeps spikes binary.
	DownsampleNearest Downsample = "nearest"
)

// Genotype is a searched architecture, ready to be trained.
type Genotype struct {
	// Version is the format version: FreeVersion for a value made by New, PathVersion
	// for one made by NewOnPath.
	Version int
	// Name is a short one-line title.
	Name string
	// Origin tells in one line where the genotype comes from; it may be empty.
	Origin string
	// Downsample decides whether there is a reduction cell.
	Downsample Downsample
	// Normal is the cell that keeps the resolution, or the only cell.
	Normal Cell
	// Reduction is the cell that halves the resolution; nil unless Downsample
	// is DownsampleReduction.
	Reduction *Cell
	// Path holds the resolution level of every cell's output, 0 to MaxLevel. Level l
	// has 1/2^l of the resolution of level 0. It is optional in FreeVersion; see
	// FollowsPath.
	Path []int
	// Ops names the candidate operations of the search.
	Ops []string
}

// New returns a valid genotype over all candidate operations. With a reduction
// cell it down-samples by reduction cells, with nil by nearest interpolation.
func New(name string, normal Cell, reduction *Cell) (Genotype, error) {
	g := Genotype{
		Version:    FreeVersion,
		Name:       name,
		Downsample: DownsampleNearest,
		Normal:     normal.clone(),
		Ops:        OpNames(),
	}
	if reduction != nil {
		r := reduction.clone()
		g.Downsample, g.Reduction = DownsampleReduction, &r
	}
	return g, g.Validate()
}

// NewOnPath returns a valid genotype of one cell and the path that the network's
// cells take through the levels, of which it makes a copy.
func NewOnPath(name string, cell Cell, path []int) (Genotype, error) {
	g, err := New(name, cell, nil)
	if err != nil {
		return g, err
	}
	g.Version, g.Path = PathVersion, slices.Clone(path)
	return g, g.Validate()
}

// FollowsPath tells whether the network of the genotype has the levels of its path.
// Otherwise whoever builds the network chooses them.
func (g Genotype) FollowsPath() bool { return g.Version >= PathVersion }

// Validate reports the first fault as a one-line error that wraps ErrInvalid and
// names the place as a JSON path.
func (g Genotype) Validate() error {
	checks := []func() error{g.checkVersion, g.checkTexts, g.checkOps, g.checkCells, g.checkPath}
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (g Genotype) checkVersion() error {
	switch {
	case g.Version > FormatVersion:
		return invalid("version", "%d was written by a newer version of SpikeDHS, this one reads up to %d; update SpikeDHS",
			g.Version, FormatVersion)
	case g.Version < 1:
		return invalid("version", "%d does not exist; write %d, or %d where the network follows the path", g.Version, FreeVersion, PathVersion)
	}
	return nil
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
		return invalid("ops", "empty; list the candidate operations: %s", strings.Join(OpNames(), ", "))
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

func (g Genotype) checkCells() error {
	if err := g.checkCell("normal", g.Normal); err != nil {
		return err
	}
	switch {
	case g.Downsample != DownsampleReduction && g.Downsample != DownsampleNearest:
		return invalid("downsample", "%q is unknown; use %q or %q", g.Downsample, DownsampleReduction, DownsampleNearest)
	case g.Downsample == DownsampleReduction && g.Reduction == nil:
		return invalid("reduction", "missing although downsample is %q; add the cell or set downsample to %q",
			DownsampleReduction, DownsampleNearest)
	case g.Downsample == DownsampleNearest && g.Reduction != nil:
		return invalid("reduction", "not used when downsample is %q; remove it or set downsample to %q",
			DownsampleNearest, DownsampleReduction)
	case g.Reduction == nil:
		return nil
	}
	if err := g.checkCell("reduction", *g.Reduction); err != nil {
		return err
	}
	if g.Reduction.Nodes != g.Normal.Nodes {
		return invalid("reduction.nodes", "%d, but normal.nodes is %d; both cells need the same number of nodes",
			g.Reduction.Nodes, g.Normal.Nodes)
	}
	return nil
}

func (g Genotype) checkCell(where string, c Cell) error {
	if err := c.validate(where); err != nil {
		return err
	}
	for i, e := range c.Edges {
		if !slices.Contains(g.Ops, e.Op.String()) {
			return invalid(element(where+".edges", i)+".op", "%s is not among the candidates in ops; add it there or choose another", e.Op)
		}
	}
	return nil
}

func (g Genotype) checkPath() error {
	switch {
	case !g.FollowsPath():
	case len(g.Path) == 0:
		return invalid("path", "empty although version is %d; list the level of every cell's output, or write version %d", g.Version, FreeVersion)
	case g.Downsample != DownsampleNearest:
		return invalid("downsample", "%q cannot follow a path; version %d needs %q", g.Downsample, g.Version, DownsampleNearest)
	}
	return checkLevels("path", g.Path)
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
