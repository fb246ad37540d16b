package genotype

import (
	"cmp"
	"fmt"
	"math"
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
		slices.SortStableFunc(incoming, func(a, b int) int { return cmp.Compare(score(p[b], ops), score(p[a], ops)) })
		for _, edge := range incoming[:EdgesPerNode] {
			mostProbable := slices.Index(p[edge], slices.Max(p[edge]))
			c.Edges = append(c.Edges, Edge{Index: edge, Op: ops[mostProbable]})
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

// softmaxRows normalises every row of logits. It needs rows of equal length and
// fails on values that are not finite.
func softmaxRows(logits [][]float64) ([][]float64, error) {
	p := make([][]float64, len(logits))
	for edge, row := range logits {
		for op, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("%w: [%d][%d]: %v is not finite; the search has diverged, lower its learning rate",
					ErrAlpha, edge, op, v)
			}
		}
		p[edge] = softmax(row)
	}
	return p, nil
}

// softmax sums in order of size, so that rows with the same values in another
// order tie exactly.
func softmax(row []float64) []float64 {
	top := slices.Max(row)
	p := make([]float64, len(row))
	for i, v := range row {
		p[i] = math.Exp(v - top)
	}
	total := 0.0
	for _, e := range slices.Sorted(slices.Values(p)) {
		total += e
	}
	for i := range p {
		p[i] /= total
	}
	return p
}

// SkipShare returns the share of kept edges whose operation is skip, 0 to 1. A
// share that grows during a search warns of skip collapse.
func SkipShare(c Cell) float64 {
	if len(c.Edges) == 0 {
		return 0
	}
	skips := 0
	for _, e := range c.Edges {
		if e.Op == Skip {
			skips++
		}
	}
	return float64(skips) / float64(len(c.Edges))
}

// Entropy returns the mean entropy of the softmax rows of alpha, in nats and as
// a share of its maximum ln(operations). It starts near 1 and falls as a search
// settles on operations. The columns are ops, those of the paper where none is given. Errors wrap ErrAlpha.
func Entropy(alpha [][]float64, ops ...Op) (nats, share float64, err error) {
	if len(alpha) == 0 {
		return 0, 0, fmt.Errorf("%w: no rows; give one per edge", ErrAlpha)
	}
	if err := checkWidth(alpha, over(ops)); err != nil {
		return 0, 0, err
	}
	p, err := softmaxRows(alpha)
	if err != nil {
		return 0, 0, err
	}
	for _, row := range p {
		for _, v := range row {
			if v > 0 {
				nats -= v * math.Log(v)
			}
		}
	}
	nats /= float64(len(p))
	return nats, nats / math.Log(float64(len(alpha[0]))), nil
}
