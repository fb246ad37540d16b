package genotype

import (
	"encoding/json"
	"reflect"
)

const formatName = "spikedhs-genotype"

// Parse reads a genotype from its JSON form, of any version, and validates it.
// Reading is strict: unknown fields, newer versions and edges that contradict
// themselves are errors that wrap ErrInvalid and name the place of the fault.
func Parse(data []byte) (Genotype, error) {
	g, err := parse(data)
	if err == nil {
		err = g.Validate()
	}
	if err != nil {
		return Genotype{}, err
	}
	return g, nil
}

// UnmarshalJSON implements json.Unmarshaler with the strictness of Parse.
func (g *Genotype) UnmarshalJSON(data []byte) (err error) {
	*g, err = Parse(data)
	return err
}

// head is what a document of every version begins with.
type head struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	Name    string `json:"name"`
	Origin  string `json:"origin,omitempty"`
}

// document is one version of the format.
type document interface {
	genotype() (Genotype, error)
}

func parse(data []byte) (Genotype, error) {
	raw, err := readDocument(data)
	if err != nil {
		return Genotype{}, err
	}
	d, err := newDocument(raw)
	if err != nil {
		return Genotype{}, err
	}
	if err := readStrict(documentRoot, raw, reflect.ValueOf(d).Elem()); err != nil {
		return Genotype{}, err
	}
	return d.genotype()
}

// formats are the documents of each format by version, from 1.
var formats = map[string][]func() document{
	formatName: {
		func() document { return &chain{} }, func() document { return &chain{} }, func() document { return &current{} },
	},
}

// newDocument chooses the form by format and version, before fields are checked by
// name, so that a file of a newer version is called newer and not malformed.
func newDocument(raw json.RawMessage) (document, error) {
	var h struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	if err := readObject(documentRoot, raw, reflect.ValueOf(&h).Elem(), false); err != nil {
		return nil, err
	}
	versions, ok := formats[h.Format]
	switch {
	case !ok:
		return nil, invalid("format", "%q is not a genotype; give a file whose format is %q", h.Format, formatName)
	case h.Version > len(versions):
		return nil, invalid("version", "%d was written by a newer version of SpikeDHS, this one reads up to %d; update SpikeDHS",
			h.Version, len(versions))
	case h.Version < 1:
		return nil, invalid("version", "%d does not exist; write %d", h.Version, FormatVersion)
	}
	return versions[h.Version-1](), nil
}

// current is a document of version 3.
type current struct {
	head
	Ops     []string `json:"ops"`
	Subnets []subnet `json:"subnets"`
}

type subnet struct {
	Name   string `json:"name"`
	Path   []int  `json:"path,omitempty"`
	Levels []int  `json:"levels,omitempty"`
	Cell   cell   `json:"cell"`
}

func (d *current) genotype() (Genotype, error) { return d.head.with(d.Ops, d.Subnets...) }

// with is the genotype of these candidates and subnets.
func (h head) with(ops []string, subnets ...subnet) (Genotype, error) {
	g := Genotype{Name: h.Name, Origin: h.Origin, Ops: ops}
	for _, n := range subnets {
		c, err := n.Cell.cell(n.Name)
		if err != nil {
			return g, err
		}
		g.Subnets = append(g.Subnets, Subnet{Name: n.Name, Cell: c, Path: n.Path, Levels: n.Levels})
	}
	return g, nil
}

// chain is a document of versions 1 and 2: a normal cell and, where it lowers the
// resolution, a reduction cell. The path of version 1 is a record of levels.
type chain struct {
	head
	Downsample string   `json:"downsample"`
	Ops        []string `json:"ops"`
	Path       []int    `json:"path,omitempty"`
	Normal     cell     `json:"normal"`
	Reduction  *cell    `json:"reduction,omitempty"`
}

func (d *chain) genotype() (Genotype, error) {
	switch reduction := string(DownsampleReduction); {
	case d.Downsample != reduction && d.Downsample != string(DownsampleNearest):
		return Genotype{}, unknownDownsample(Downsample(d.Downsample))
	case d.Downsample == reduction && d.Reduction == nil:
		return Genotype{}, invalid(Reduction, "missing although downsample is %q; add the cell or set downsample to %q", reduction, DownsampleNearest)
	case d.Downsample != reduction && d.Reduction != nil:
		return Genotype{}, invalid(Reduction, "not used when downsample is %q; remove it or set downsample to %q", d.Downsample, reduction)
	case d.Version == 2 && len(d.Path) == 0:
		return Genotype{}, invalid("path", "empty although version is 2; list the level of every cell's output, or write version %d", FormatVersion)
	}
	normal := subnet{Name: Normal, Path: d.Path, Cell: d.Normal}
	if d.Version == 1 {
		normal.Path, normal.Levels = nil, d.Path
	}
	if d.Reduction == nil {
		return d.head.with(d.Ops, normal)
	}
	return d.head.with(d.Ops, normal, subnet{Name: Reduction, Cell: *d.Reduction})
}

// cell is a cell in a document of any version. What says twice where an edge lies, for
// people, must agree.
type cell struct {
	Nodes int    `json:"nodes"`
	Edges []edge `json:"edges"`
}

type edge struct {
	Node int    `json:"node"`
	Edge int    `json:"edge"`
	From string `json:"from"`
	Op   string `json:"op"`
}

func (c cell) cell(where string) (Cell, error) {
	if err := checkNodes(where+".nodes", c.Nodes); err != nil {
		return Cell{}, err
	}
	read := Cell{Nodes: c.Nodes}
	for i, line := range c.Edges {
		at := element(where+".edges", i)
		op, err := parseOp(at+".op", line.Op)
		if err != nil {
			return read, err
		}
		e := Edge{Index: line.Edge, Op: op}
		if err := e.check(at, c.Nodes); err != nil {
			return read, err
		}
		if line.Node != e.Node() {
			return read, invalid(at+".node", "%d, but edge %d leads to node %d; correct one of them", line.Node, e.Index, e.Node())
		}
		if line.From != e.Source().String() {
			return read, invalid(at+".from", "%q, but edge %d comes from %q; correct one of them", line.From, e.Index, e.Source())
		}
		read.Edges = append(read.Edges, e)
	}
	return read, nil
}
