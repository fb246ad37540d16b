package trellis

import (
	"fmt"
	"math"
	"slices"

	"github.com/spikedhs/spikedhs/torch"
)

// Parameter makes beta [layers, 4, 3] below p, normally distributed around 0. Numbers
// of levels that the space leaves out have no meaning and no gradient.
func (t Space) Parameter(p torch.Path, deviation float64) torch.Tensor {
	return p.Parameter("beta", torch.Normal(deviation), int64(t.Layers), Levels, int64(Moves))
}

// Table is what the weights of a space's moves are computed with. A network owns one: it
// is copied to the device when the network is built, and no step copies anything.
type Table struct {
	space  Space
	absent torch.Tensor // [4, 3]: -Inf where there is no move, else 0
	shares torch.Tensor // [4, 1]: what the moves from a level sum to
	places torch.Tensor // [cells]: the numbers of the cells' moves among all of [layers, 4, 3]
	counts []int64      // of the cells that lead to each place, in their order
	steps  torch.Tensor // [layers*4*4]: the number of the move from a level to a level
	start  torch.Tensor // [4]: all at level 0
}

// Table makes the constants of a space below p.
func (t Space) Table(p torch.Path) *Table {
	table := &Table{space: t}
	var absent, shares []float32
	for level := range Levels {
		moves, share := t.moves(level)
		shares = append(shares, float32(share))
		for m := range Moves {
			// A level that the space leaves out has a share of 0 and no softmax of
			// nothing, which would be NaN.
			if slices.Contains(moves, m) || level >= t.Levels {
				absent = append(absent, 0)
			} else {
				absent = append(absent, float32(math.Inf(-1)))
			}
		}
	}
	table.absent = torch.Fixed(p, absent, Levels, int64(Moves))
	table.shares = torch.Fixed(p, shares, Levels, 1)
	cells := t.Cells()
	places := make([]int64, len(cells))
	for i, c := range cells {
		places[i] = number(c.Layer, c.From, c.Move)
		if i == 0 || cells[i-1].Layer != c.Layer || cells[i-1].To != c.To {
			table.counts = append(table.counts, 0)
		}
		table.counts[len(table.counts)-1]++
	}
	table.places = torch.Fixed(p, places, int64(len(places)))
	table.steps = torch.Fixed(p, t.steps(), int64(t.Layers*Levels*Levels))
	table.start = torch.Fixed(p, []float32{1, 0, 0, 0}, Levels)
	return table
}

// number is where [layers, 4, 3] has a move.
func number(layer, from int, m Move) int64 {
	return int64((layer*Levels+from)*int(Moves) + int(m))
}

// steps are the numbers of the moves from each level to each, [layers][4][4]. Levels
// that no move joins have that from level 0 up, whose weight is 0.
func (t Space) steps() []int64 {
	var list []int64
	for l := range t.Layers {
		for from := range Levels {
			for to := range Levels {
				m := Move(to - from + int(Same))
				if moves, _ := t.moves(from); slices.Contains(moves, m) {
					list = append(list, number(l, from, m))
				} else {
					list = append(list, number(l, 0, Up))
				}
			}
		}
	}
	return list
}

// Weights are the probabilities of all moves as tensors through which gradients flow to
// beta; see [Space.Probabilities].
type Weights struct {
	// All is [layers, 4, 3]. A move that does not exist has 0.
	All torch.Tensor

	table *Table
	into  map[[2]int]torch.Tensor // by layer and level: of the cells that lead there, [cells]
}

// Weights computes the probabilities of beta; they belong to s.
func (t *Table) Weights(s *torch.Scope, beta torch.Tensor) *Weights {
	c := s.Child()
	defer c.Close()
	all := c.Mul(c.Softmax(c.Add(beta, t.absent), 2), t.shares)
	w := &Weights{All: c.Return(all), table: t, into: map[[2]int]torch.Tensor{}}
	// One operator picks the weights of all cells, so that one gives their gradient.
	picked := c.Tensor("aten::index_select", c.Reshape(all, -1), 0, t.places)
	parts := c.Parts(picked, 0, t.counts)
	cells := t.space.Cells()
	for i, part := range parts {
		w.into[[2]int{cells[0].Layer, cells[0].To}] = c.Return(part)
		cells = cells[t.counts[i]:]
	}
	return w
}

// Join is the sum of the outputs of cells, weighted by the probabilities of their
// moves. The cells are all that lead to one place, in the order of [Space.Cells]. It
// frees the outputs, which s must own.
func Join(s *torch.Scope, weights *Weights, cells []Cell, outputs []torch.Tensor) torch.Tensor {
	c := s.Child()
	defer c.Close()
	join := joinOneByOne
	if torch.IsCUDA(c.Device(outputs[0])) {
		join = joinTogether
	}
	return c.Return(join(c, weights.into[[2]int{cells[0].Layer, cells[0].To}], outputs, s.Free))
}

// joinOneByOne weighs and adds one output after the other, and frees it.
func joinOneByOne(s *torch.Scope, weights torch.Tensor, outputs []torch.Tensor, free func(torch.Tensor)) torch.Tensor {
	each := s.Unbind(weights, 0)
	if len(each) != len(outputs) {
		return torch.Tensor{} // the pass has failed
	}
	var sum torch.Tensor
	for i, y := range outputs {
		weighted := s.Mul(y, s.CastLike(each[i], y))
		free(y)
		if !torch.Defined(sum) {
			sum = weighted
			continue
		}
		total := s.Add(sum, weighted)
		s.Free(sum)
		s.Free(weighted)
		sum = total
	}
	return sum
}

// joinTogether weighs and adds all outputs at once: as many kernels for three as for
// two, forward and backward, which is what counts on a device.
func joinTogether(s *torch.Scope, weights torch.Tensor, outputs []torch.Tensor, free func(torch.Tensor)) torch.Tensor {
	weights = s.CastLike(weights, outputs[0])
	if len(outputs) == 1 {
		defer free(outputs[0])
		return s.Mul(outputs[0], weights)
	}
	// In the order in memory, [N, H, W, C], so that nothing but the sum is laid out anew.
	var shape []int64
	rows := make([]torch.Tensor, len(outputs))
	for i, y := range outputs {
		last := s.Tensor("aten::permute", s.ChannelsLast(y), []int64{0, 2, 3, 1})
		shape = s.Shape(last)
		rows[i] = s.Reshape(last, 1, -1)
	}
	all := s.Cat(rows, 0)
	for _, y := range outputs {
		free(y)
	}
	sum := s.Tensor("aten::sum.dim_IntList", s.Mul(all, s.Reshape(weights, -1, 1)), []int64{0})
	return s.Tensor("aten::permute", s.Reshape(sum, shape...), []int64{0, 3, 1, 2})
}

// Ends are the shares of the levels at the end of the trellis: the products of the
// probabilities of all paths that end there, summed, over the same
// of all levels, so that they sum to 1. Gradients flow to beta. A level that no path
// ends at has no tensor.
func (w *Weights) Ends(s *torch.Scope) [Levels]torch.Tensor {
	c := s.Child()
	defer c.Close()
	ends := w.endsByCells
	if torch.IsCUDA(c.Device(w.All)) {
		ends = w.endsByLayers
	}
	shares := ends(c)
	for level, share := range shares {
		shares[level] = c.Return(share)
	}
	return shares
}

// endsByCells adds up one move after the other.
func (w *Weights) endsByCells(s *torch.Scope) [Levels]torch.Tensor {
	reach := Run(w.table.space, []torch.Tensor{s.Full(s.Device(w.All), 1, 1)}, Network[torch.Tensor]{
		Cell: func(_ Cell, _, s1 Feature[torch.Tensor]) torch.Tensor { return s1.Value },
		Join: func(cells []Cell, outputs []torch.Tensor) torch.Tensor {
			var sum torch.Tensor
			for i, weight := range s.Unbind(w.into[[2]int{cells[0].Layer, cells[0].To}], 0) {
				sum = add(s, sum, s.Mul(outputs[i], weight))
			}
			return sum
		},
	})
	var total torch.Tensor
	for _, f := range reach {
		if f.OK {
			total = add(s, total, f.Value)
		}
	}
	var shares [Levels]torch.Tensor
	for level, f := range reach {
		if f.OK {
			shares[level] = s.Tensor("aten::div.Tensor", f.Value, total)
		}
	}
	return shares
}

// endsByLayers is one product with a matrix [from, to] a layer.
func (w *Weights) endsByLayers(s *torch.Scope) [Levels]torch.Tensor {
	t := w.table
	steps := s.Reshape(s.Tensor("aten::index_select", s.Reshape(w.All, -1), 0, t.steps), -1, Levels, Levels)
	reach := t.start
	for _, step := range s.Unbind(steps, 0) {
		reach = s.Matmul(reach, step)
	}
	ends := s.Unbind(s.Tensor("aten::div.Tensor", reach, s.Sum(reach)), 0)
	var shares [Levels]torch.Tensor
	copy(shares[:t.space.Sources(t.space.Layers)], ends)
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
