package genotype

import (
	"fmt"
	"slices"
	"strings"
)

// Op is a candidate operation of the search space. Its number is the column of
// the operation in an alpha matrix and the second entry of a published
// [edge, op] row.
type Op int

// The candidate operations.
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

// NumOps is the number of candidate operations, the width of an alpha matrix.
const NumOps = 3

var opTable = [NumOps]struct {
	name, label string
	temperature float64
}{
	Skip: {"skip_connect", "skip", 3},
	B3:   {"snn_b3", "b3", 3},
	B5:   {"snn_b5", "b5", 5},
}

// OpNames lists the names of all candidate operations in the order of their numbers.
func OpNames() []string {
	names := make([]string, 0, NumOps)
	for _, row := range opTable {
		names = append(names, row.name)
	}
	return names
}

// Valid reports whether o is one of the candidate operations.
func (o Op) Valid() bool { return o >= 0 && o < NumOps }

// String returns the name of the operation as it is stored, such as "snn_b3".
func (o Op) String() string {
	if !o.Valid() {
		return fmt.Sprintf("Op(%d)", int(o))
	}
	return opTable[o].name
}

// Label returns the short name used in equations and drawings: skip, b3 or b5.
func (o Op) Label() string {
	if !o.Valid() {
		return o.String()
	}
	return opTable[o].label
}

// Temperature returns b of the Dspike surrogate gradient of the operation. For
// Skip it is that of the aligning convolution on edges from s0 and s1. It is 0
// for an invalid operation.
func (o Op) Temperature() float64 {
	if !o.Valid() {
		return 0
	}
	return opTable[o].temperature
}

func parseOp(where, name string) (Op, error) {
	names := OpNames()
	i := slices.Index(names, name)
	if i < 0 {
		return 0, invalid(where, "unknown operation %q; use one of %s", name, strings.Join(names, ", "))
	}
	return Op(i), nil
}
