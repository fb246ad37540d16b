package genotype

import (
	"fmt"
	"slices"
)

// DecodeCell turns the trained weights alpha, one row of logits per edge and one
// column per operation, into a cell. Every row goes through a softmax; then each
// node keeps the two incoming edges with the highest probability of an operation
// other than skip, the strongest first, and each kept edge takes its most
// probable operation, skip included. Ties go to the lower edge and the lower
// operation. The columns are ops, those of the paper where none is given. Errors wrap ErrAlpha.
func DecodeCell(alpha [][]float64, nodes int, ops ...Op) (Cell, error) {
	ops = over(ops)
	if err := checkShape(alpha, nodes, ops); err != nil {
		return Cell{}, err
	}
	p, err := softmaxRows(alpha)
	if err != nil {
		return Cell{}, err
	}
	return strongest(p, nodes, ops), nil
}

// over are ops, or those of the paper.
func over(ops []Op) []Op {
	if len(ops) == 0 {
		return Published()
	}
	return ops
}

// strongest selects edges and operations from a checked matrix of probabilities.
func strongest(p [][]float64, nodes int, ops []Op) Cell {
	c := Cell{Nodes: nodes}
	for node := range nodes {
		var incoming []int
		for edge := Edges(node); edge < Edges(node+1); edge++ {
			incoming = append(incoming, edge)
		}
		slices.SortStableFunc(incoming, func(a, b int) int {
			return compareDescending(score(p[a], ops), score(p[b], ops))
		})
		for _, edge := range incoming[:EdgesPerNode] {
			c.Edges = append(c.Edges, Edge{Index: edge, Op: ops[mostProbable(p[edge])]})
		}
	}
	return c
}

// score ranks an edge. Leaving skip out is inherited from DARTS, where
// operation 0 means "no edge".
func score(row []float64, ops []Op) float64 {
	best := 0.0
	for i, p := range row {
		if ops[i] != Skip {
			best = max(best, p)
		}
	}
	return best
}

// mostProbable is the column of the largest probability.
func mostProbable(row []float64) int {
	best := 0
	for i, p := range row {
		if p > row[best] {
			best = i
		}
	}
	return best
}

func compareDescending(a, b float64) int {
	switch {
	case a > b:
		return -1
	case a < b:
		return 1
	}
	return 0
}

func checkShape(rows [][]float64, nodes int, ops []Op) error {
	if nodes < 1 || nodes > MaxNodes {
		return fmt.Errorf("%w: %d node(s); a cell has 1..%d", ErrAlpha, nodes, MaxNodes)
	}
	if len(rows) != Edges(nodes) {
		return fmt.Errorf("%w: %d rows; a cell with %d node(s) needs one per edge, %d", ErrAlpha, len(rows), nodes, Edges(nodes))
	}
	return checkWidth(rows, ops)
}

func checkWidth(rows [][]float64, ops []Op) error {
	for edge, row := range rows {
		if len(row) != len(ops) {
			return fmt.Errorf("%w: [%d]: %d values; give one per operation, %d", ErrAlpha, edge, len(row), len(ops))
		}
	}
	return nil
}

func badAlpha(edge, op int, format string, args ...any) error {
	return fmt.Errorf("%w: [%d][%d]: %s", ErrAlpha, edge, op, fmt.Sprintf(format, args...))
}
