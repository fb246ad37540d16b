package genotype

import "strconv"

// MaxNodes is the largest number of nodes in a cell.
const MaxNodes = 8

// inputs is the number of cell inputs, s0 and s1.
const inputs = 2

// Source is where an edge comes from: a cell input or an earlier node.
type Source int

// The two inputs of a cell. S0 is the output of the cell before the previous
// one, S1 the output of the previous cell.
const (
	S0 Source = 0
	S1 Source = 1
)

// FromNode returns the source that is node k of the same cell.
func FromNode(k int) Source { return Source(inputs + k) }

// Node returns the number of the node that s stands for; ok is false when s is
// a cell input.
func (s Source) Node() (k int, ok bool) {
	if s < inputs {
		return 0, false
	}
	return int(s) - inputs, true
}

// String returns "s0", "s1", "n0", "n1" and so on.
func (s Source) String() string {
	if k, ok := s.Node(); ok {
		return nodeName(k)
	}
	return "s" + strconv.Itoa(int(s))
}

func nodeName(k int) string { return "n" + strconv.Itoa(k) }

// Edges returns the number of edges in a cell with the given number of nodes,
// before decoding: 2 + 3 + ... + (nodes+1).
func Edges(nodes int) int { return nodes * (nodes + 3) / 2 }

// EdgeIndex returns the number of the edge from src into node, or -1 when there
// is no such edge. The edges into node j are numbered from Edges(j) in the order
// s0, s1, n0, ..., n(j-1).
func EdgeIndex(node int, src Source) int {
	if node < 0 || node >= MaxNodes || src < 0 || int(src) >= inputs+node {
		return -1
	}
	return Edges(node) + int(src)
}

// EdgeEnds returns both ends of an edge, or -1, -1 when no cell has that edge.
// The number of an edge does not depend on the number of nodes in the cell.
func EdgeEnds(edge int) (src Source, node int) {
	if edge < 0 || edge >= Edges(MaxNodes) {
		return -1, -1
	}
	for edge >= Edges(node+1) {
		node++
	}
	return Source(edge - Edges(node)), node
}

// Edge is one kept edge of a decoded cell.
type Edge struct {
	// Index is the number of the edge; see EdgeIndex.
	Index int
	// Op is the operation on the edge.
	Op Op
}

// Node returns the node the edge leads to, -1 if the edge does not exist.
func (e Edge) Node() int {
	_, node := EdgeEnds(e.Index)
	return node
}

// Source returns where the edge comes from, -1 if the edge does not exist.
func (e Edge) Source() Source {
	src, _ := EdgeEnds(e.Index)
	return src
}
