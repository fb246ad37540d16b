package genotype

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Op is a candidate operation of the search space. The number of a published one is its
// column in an alpha matrix and the second entry of a published [edge, op] row. Files
// have names.
type Op int

// The candidate operations of the paper.
const (
	// Skip is skip_connect. Between two nodes it is the identity. On an edge
	// from s0 or s1 it is a 3x3 convolution that aligns the channels, because
	// the preprocessing of DARTS is merged into the operation.
	Skip Op = iota
	// B3 is snn_b3, a 3x3 convolution with the surrogate gradient Dspike, b = 3.
	B3
	// B5 is snn_b5, the same convolution with b = 5. The temperature changes the
	// backward pass only.
	B5
)

// NumOps is the number of candidate operations of the paper, the width of alpha in a
// search over them.
const NumOps = 3

// OpInfo is what drawings and searches must know about an operation.
type OpInfo struct {
	// Label is short: it stands in equations and drawings. Note explains it in a legend.
	Label, Note string
	// Temperature is b of the Dspike surrogate gradient of its own neurons, default 3.
	Temperature float64
}

var opNames, opTable = []string{"skip_connect", "snn_b3", "snn_b5"}, []OpInfo{
	Skip: {"skip", "skip_connect", 3},
	B3:   {"b3", "conv 3×3, b = 3", 3},
	B5:   {"b5", "conv 3×3, b = 5", 5},
}

// RegisterOp adds a candidate operation under the name that files have. It is called while
// the program starts, by search.RegisterOperation, which knows how to compute it. A name
// that is taken or no word panics.
func RegisterOp(name string, info OpInfo) Op {
	if slices.Contains(opNames, name) || name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		panic(fmt.Sprintf("genotype: operation %q: the name is taken, or has other characters than small letters, digits and _", name))
	}
	info.Label, info.Note = cmp.Or(info.Label, name), cmp.Or(info.Note, name)
	info.Temperature = cmp.Or(info.Temperature, opTable[B3].Temperature)
	opNames, opTable = append(opNames, name), append(opTable, info)
	return Op(len(opNames) - 1)
}

// Published are the candidate operations of the paper.
func Published() []Op { return []Op{Skip, B3, B5} }

// ParseOp returns the operation with the given name, such as "snn_b3".
func ParseOp(name string) (Op, error) { return parseOp("op", name) }

// OpNames lists the names of operations, of those of the paper where none is given.
func OpNames(ops ...Op) []string {
	var names []string
	for _, o := range over(ops) {
		names = append(names, o.String())
	}
	return names
}

// KnownOps lists the names of all operations there are.
func KnownOps() []string { return slices.Clone(opNames) }

// Valid reports whether o is an operation.
func (o Op) Valid() bool { return o >= 0 && int(o) < len(opTable) }

// Published reports whether o is one of the paper's.
func (o Op) Published() bool { return o >= 0 && o < NumOps }

// String returns the name of the operation as it is stored, such as "snn_b3".
func (o Op) String() string {
	if !o.Valid() {
		return fmt.Sprintf("Op(%d)", int(o))
	}
	return opNames[o]
}

// Label returns the short name used in equations and drawings: skip, b3 or b5.
func (o Op) Label() string {
	if !o.Valid() {
		return o.String()
	}
	return opTable[o].Label
}

// Temperature returns b of the Dspike surrogate gradient of the operation. For
// Skip it is that of the aligning convolution on edges from s0 and s1. It is 0
// for an invalid operation.
func (o Op) Temperature() float64 {
	if !o.Valid() {
		return 0
	}
	return opTable[o].Temperature
}

func parseOp(where, name string) (Op, error) {
	i := slices.Index(opNames, name)
	if i < 0 {
		return 0, invalid(where, "unknown operation %q; use one of %s", name, strings.Join(opNames, ", "))
	}
	return Op(i), nil
}
