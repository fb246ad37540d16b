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
// operation. Errors wrap ErrAlpha.
func DecodeCell(alpha [][]float64, nodes int) (Cell, error) {
	if err := checkShape(alpha, nodes); err != nil {
		return Cell{}, err
	}
	p, err := softmaxRows(alpha)
	if err != nil {
		return Cell{}, err
	}
	return strongest(p, nodes), nil
}

// strongest selects edges and operations from a checked matrix of probabilities.
func strongest(p [][]float64, nodes int) Cell {
	c := Cell{Nodes: nodes}
	for node := range nodes {
		var incoming []int
		for edge := Edges(node); edge < Edges(node+1); edge++ {
			incoming = append(incoming, edge)
		}
		slices.SortStableFunc(incoming, func(a, b int) int {
			return compareDescending(score(p[a]), score(p[b]))
		})
		for _, edge := range incoming[:EdgesPerNode] {
			c.Edges = append(c.Edges, Edge{Index: edge, Op: mostProbable(p[edge])})
		}
	}
	return c
}

// score ranks an edge. Leaving skip out is inherited from DARTS, where
// operation 0 means "no edge".
func score(row []float64) float64 { return slices.Max(row[Skip+1:]) }

func mostProbable(row []float64) Op {
	best := Skip
	for op := range Op(NumOps) {
		if row[op] > row[best] {
			best = op
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

func checkShape(rows [][]float64, nodes int) error {
	if nodes < 1 || nodes > MaxNodes {
		return fmt.Errorf("%w: %d node(s); a cell has 1..%d", ErrAlpha, nodes, MaxNodes)
	}
	if len(rows) != Edges(nodes) {
		return fmt.Errorf("%w: %d rows; a cell with %d node(s) needs one per edge, %d", ErrAlpha, len(rows), nodes, Edges(nodes))
	}
	return checkWidth(rows)
}

func checkWidth(rows [][]float64) error {
	for edge, row := range rows {
		if len(row) != NumOps {
			return fmt.Errorf("%w: [%d]: %d values; give one per operation, %d", ErrAlpha, edge, len(row), NumOps)
		}
	}
	return nil
}

func badAlpha(edge, op int, format string, args ...any) error {
	return fmt.Errorf("%w: [%d][%d]: %s", ErrAlpha, edge, op, fmt.Sprintf(format, args...))
}
