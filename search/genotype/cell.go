package genotype

import (
	"slices"
	"strconv"
	"strings"
)

// EdgesPerNode is the number of incoming edges that decoding keeps at a node.
const EdgesPerNode = 2

// Cell is a decoded cell: two incoming edges per node, each with one operation.
type Cell struct {
	// Nodes is the number of nodes, 1 to MaxNodes.
	Nodes int
	// Edges holds the kept edges node by node. Within a node they are in the
	// order in which decoding ranked them, the strongest first.
	Edges []Edge
}

// NewCell builds a cell from published rows of [edge, op]. Rows may come in any
// order of nodes: they are grouped by node, and rows of one node keep their
// order. An edge and its operation always stay together.
func NewCell(rows [][2]int) (Cell, error) {
	if len(rows)%EdgesPerNode != 0 {
		return Cell{}, invalid("rows", "%d rows; give two [edge, op] rows per node", len(rows))
	}
	c := Cell{Nodes: len(rows) / EdgesPerNode}
	if err := checkNodes("rows", c.Nodes); err != nil {
		return Cell{}, err
	}
	for i, row := range rows {
		e := Edge{Index: row[0], Op: Op(row[1])}
		if err := e.check(element("rows", i), c.Nodes); err != nil {
			return Cell{}, err
		}
		c.Edges = append(c.Edges, e)
	}
	slices.SortStableFunc(c.Edges, func(a, b Edge) int { return a.Node() - b.Node() })
	return c, c.validate("cell")
}

// Rows returns the cell as rows of [edge, op], the inverse of NewCell.
func (c Cell) Rows() [][2]int {
	rows := make([][2]int, len(c.Edges))
	for i, e := range c.Edges {
		rows[i] = [2]int{e.Index, int(e.Op)}
	}
	return rows
}

// Inputs returns the edges into a node, the strongest first.
func (c Cell) Inputs(node int) []Edge {
	return slices.DeleteFunc(slices.Clone(c.Edges), func(e Edge) bool { return e.Node() != node })
}

// Equations returns one line per node such as "n0 = b3(s1) + b3(s0)".
func (c Cell) Equations() []string {
	lines := make([]string, c.Nodes)
	for node := range lines {
		var terms []string
		for _, e := range c.Inputs(node) {
			terms = append(terms, e.Op.Label()+"("+e.Source().String()+")")
		}
		lines[node] = nodeName(node) + " = " + strings.Join(terms, " + ")
	}
	return lines
}

// Validate reports the first fault of the cell as an error that wraps ErrInvalid.
func (c Cell) Validate() error { return c.validate("cell") }

func (c Cell) validate(where string) error {
	if err := checkNodes(where+".nodes", c.Nodes); err != nil {
		return err
	}
	for i, e := range c.Edges {
		if err := e.check(element(where+".edges", i), c.Nodes); err != nil {
			return err
		}
	}
	for node := range c.Nodes {
		if n := len(c.Inputs(node)); n != EdgesPerNode {
			return invalid(where+".edges", "node %d has %d edge(s); keep exactly %d per node", node, n, EdgesPerNode)
		}
	}
	for i, e := range c.Edges {
		at := element(where+".edges", i)
		if want := i / EdgesPerNode; e.Node() != want {
			return invalid(at, "edge %d leads to node %d, but this place belongs to node %d; list the edges node by node",
				e.Index, e.Node(), want)
		}
		if i%EdgesPerNode == 1 && e.Index == c.Edges[i-1].Index {
			return invalid(at+".edge", "edge %d is listed twice in node %d; choose two different edges", e.Index, e.Node())
		}
	}
	return nil
}

func (e Edge) check(where string, nodes int) error {
	if last := Edges(nodes) - 1; e.Index < 0 || e.Index > last {
		return invalid(where+".edge", "%d is out of range; a cell with %d node(s) has edges 0..%d", e.Index, nodes, last)
	}
	if !e.Op.Valid() {
		return invalid(where+".op", "%d is not an operation; use 0..%d (%s)", int(e.Op), len(opNames)-1, strings.Join(opNames, ", "))
	}
	return nil
}

func checkNodes(where string, nodes int) error {
	if nodes < 1 || nodes > MaxNodes {
		return invalid(where, "%d node(s); a cell has 1..%d", nodes, MaxNodes)
	}
	return nil
}

func element(where string, i int) string { return where + "[" + strconv.Itoa(i) + "]" }

func (c Cell) clone() Cell {
	c.Edges = slices.Clone(c.Edges)
	return c
}
