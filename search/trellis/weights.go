package trellis

import (
	"fmt"
	"math"

	"github.com/spikedhs/spikedhs/torch"
)

// Parameter makes beta [layers, 4, 3] below p, normally distributed around 0. Numbers
// of levels that the space leaves out have no meaning and no gradient.
func (t Space) Parameter(p torch.Path, deviation float64) torch.Tensor {
	return p.Parameter("beta", torch.Normal(deviation), int64(t.Layers), Levels, int64(Moves))
}

// Weights are the probabilities of all moves as a tensor [layers, 4, 3] through
// which gradients flow to beta; see [Space.Probabilities]. A move that does not
// exist has 0.
func (t Space) Weights(s *torch.Scope, beta torch.Tensor) torch.Tensor {
	c := s.Child()
	defer c.Close()
	var absent, shares []float32
	for level := range Levels {
		for m := range Moves {
			// A level that the space leaves out has a share of 0 and no softmax of
			// nothing, which would be NaN.
			if _, ok := t.Target(m, level); ok || level >= t.Levels {
				absent = append(absent, 0)
			} else {
				absent = append(absent, float32(math.Inf(-1)))
			}
		}
		shares = append(shares, float32(t.share(level)))
	}
	d := c.Device(beta)
	masked := c.Add(beta, c.To(torch.FromSlice(c, absent, Levels, int64(Moves)), d))
	return c.Return(c.Mul(c.Softmax(masked, 2), c.To(torch.FromSlice(c, shares, Levels, 1), d)))
}

// Weight is the probability of a cell's move, one number of [Space.Weights].
func Weight(s *torch.Scope, weights torch.Tensor, c Cell) torch.Tensor {
	return s.Select(s.Select(s.Select(weights, 0, c.Layer), 0, c.From), 0, int(c.Move))
}

// Join is the sum of the outputs of cells, weighted by the probabilities of their
// moves; weights are those of [Space.Weights]. It frees the outputs, which s must own.
func Join(s *torch.Scope, weights torch.Tensor, cells []Cell, outputs []torch.Tensor) torch.Tensor {
	c := s.Child()
	defer c.Close()
	var sum torch.Tensor
	for i, y := range outputs {
		w := c.CastLike(Weight(c, weights, cells[i]), y)
		weighted := c.Mul(y, w)
		s.Free(y)
		if !torch.Defined(sum) {
			sum = weighted
			continue
		}
		total := c.Add(sum, weighted)
		c.Free(sum)
		c.Free(weighted)
		sum = total
	}
	return c.Return(sum)
}

// Ends are the shares of the levels at the end of the trellis: the products of the
// probabilities of all paths that end there, summed ([Space.Reach]), over the same
// of all levels, so that they sum to 1. Gradients flow to beta. A level that no path
// ends at has no tensor.
func (t Space) Ends(s *torch.Scope, weights torch.Tensor) [Levels]torch.Tensor {
	c := s.Child()
	defer c.Close()
	reach := Run(t, []torch.Tensor{c.Full(c.Device(weights), 1, 1)}, Network[torch.Tensor]{
		Cell: func(_ Cell, _, s1 Feature[torch.Tensor]) torch.Tensor { return s1.Value },
		Join: func(cells []Cell, outputs []torch.Tensor) torch.Tensor {
			var sum torch.Tensor
			for i, y := range outputs {
				sum = add(c, sum, c.Mul(y, Weight(c, weights, cells[i])))
			}
			return sum
		},
	})
	var total torch.Tensor
	for _, f := range reach {
		if f.OK {
			total = add(c, total, f.Value)
		}
	}
	var shares [Levels]torch.Tensor
	for level, f := range reach {
		if f.OK {
			shares[level] = c.Return(c.Tensor("aten::div.Tensor", f.Value, total))
		}
	}
	return shares
}

func add(s *torch.Scope, sum, y torch.Tensor) torch.Tensor {
	if !torch.Defined(sum) {
		return y
	}
	return s.Add(sum, y)
}

// Read returns the numbers of a tensor beta.
func Read(beta torch.Tensor) (Beta, error) {
	values, err := torch.ToSlice[float32](beta)
	if err != nil {
		return nil, fmt.Errorf("trellis: read beta: %w", err)
	}
	const size = Levels * int(Moves)
	if len(values) == 0 || len(values)%size != 0 {
		return nil, fmt.Errorf("%w: %d numbers, want %d a layer", ErrBeta, len(values), size)
	}
	b := make(Beta, len(values)/size)
	for i, v := range values {
		b[i/size][i%size/int(Moves)][i%int(Moves)] = float64(v)
	}
	return b, nil
}
