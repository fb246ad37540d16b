package search

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// naive computes cells as the formulas are written: one small convolution,
// normalisation and neuron layer for every operation, made of slices of the
// banked weights. Gradients flow through the slices into the weights.
type naive struct {
	t       *testing.T
	s       *torch.Scope
	v       *torch.Variables
	mode    torch.Mode
	mixing  Mixing
	steps   int
	width   int
	nearest bool
	neuron  spike.LIF
	analog  bool // rectifiers instead of neurons
	// statistics receives the running statistics of each slice after a forward
	// pass in training mode, by bank and first channel.
	statistics map[string]map[int][2]torch.Tensor
}

func (n *naive) value(name string) torch.Tensor {
	x, ok := n.v.Lookup(name)
	require.True(n.t, ok, "no variable %s", name)
	return x.Value
}

// convolution is conv3x3 + normalisation (+ neurons) number block of a bank.
func (n *naive) convolution(bank string, block int, x torch.Tensor, stride int64, temperature float64) torch.Tensor {
	s := n.s
	cut := func(name string) torch.Tensor {
		return s.Narrow(n.value(bank+"."+name), 0, block*n.width, n.width)
	}
	fresh := func(name string) torch.Tensor { return s.Clone(s.Detach(cut(name))) }
	y := s.Tensor("aten::conv2d", x, cut("conv.weight"), cut("conv.bias"), []int64{stride, stride}, []int64{1, 1})
	mean, variance := fresh("norm.running_mean"), fresh("norm.running_var")
	y = s.Tensor("aten::batch_norm", y, cut("norm.weight"), cut("norm.bias"), mean, variance, bool(n.mode), 0.1, 1e-5, false)
	if n.statistics != nil {
		if n.statistics[bank] == nil {
			n.statistics[bank] = map[int][2]torch.Tensor{}
		}
		n.statistics[bank][block] = [2]torch.Tensor{mean, variance}
	}
	if n.mixing == MixSpike {
		y = n.fire(y, temperature)
	}
	return y
}

// fire uses the composed neuron, the reference of package spike.
func (n *naive) fire(current torch.Tensor, temperature float64) torch.Tensor {
	if n.analog {
		return n.s.Tensor("aten::clamp", current, 0.0)
	}
	return n.neuron.FireComposed(n.s, current, n.s.Full(torch.CPU(), temperature), n.steps)
}

// temperatures of the operations' own neurons: skip (aligning), b3, b5.
var temperatures = [3]float64{3, 3, 5}

// resize picks row floor(i*h/H) and column floor(j*w/W), as nearest
// interpolation is defined.
func (n *naive) resize(x torch.Tensor, times int) torch.Tensor {
	for dim := 2; dim <= 3 && times > 0; dim++ {
		from := n.s.Size(x, dim)
		to := from
		for range times {
			to = (to + 1) / 2
		}
		index := make([]int64, to)
		for i := range index {
			index[i] = int64(i) * from / to
		}
		x = n.s.Tensor("aten::index_select", x, dim, torch.FromSlice(n.s, index, to))
	}
	return x
}

// align resizes a cell input, or leaves it to the stride of the convolutions.
func (n *naive) align(x torch.Tensor, levels int) (torch.Tensor, int64) {
	if n.nearest {
		return n.resize(x, levels), 1
	}
	return x, 1 << levels
}

// mixed is eq. 3 and 4 over all edges and operations of a supernet's cell.
func (n *naive) mixed(nodes int, s0, s1, alpha torch.Tensor, levels [2]int, temperature float64) torch.Tensor {
	s := n.s
	exp := s.Tensor("aten::exp", alpha)
	sources := []torch.Tensor{s0, s1}
	strides := []int64{1, 1}
	for i := range 2 {
		sources[i], strides[i] = n.align(sources[i], levels[i])
	}
	edge := 0
	for j := range nodes {
		var sum torch.Tensor
		for i := range 2 + j {
			row := s.Select(exp, 0, edge)
			total := s.Sum(row)
			for op := range 3 {
				weight := s.Tensor("aten::div.Tensor", s.Select(row, 0, op), total)
				var y torch.Tensor
				switch {
				case i < 2: // aligning convolution, b3, b5 for each node
					y = n.convolution("from_"+genotype.Source(i).String(), 3*j+op, sources[i], strides[i], temperatures[op])
				case op == 0:
					y = sources[i]
				default: // b3, b5 for each later node
					y = n.convolution("from_"+genotype.Source(i).String(), 2*(j-(i-2)-1)+op-1, sources[i], 1, temperatures[op])
				}
				y = s.Mul(y, weight)
				if torch.Defined(sum) {
					y = s.Add(sum, y)
				}
				sum = y
			}
			edge++
		}
		sources = append(sources, n.fire(sum, temperature))
	}
	return s.Cat(sources[2:], 1)
}

// derived is a decoded cell, rows of [edge, op] grouped by node.
func (n *naive) derived(rows [][2]int, s0, s1 torch.Tensor, levels [2]int, temperature float64) torch.Tensor {
	s := n.s
	sources := []torch.Tensor{s0, s1}
	strides := []int64{1, 1}
	for i := range 2 {
		sources[i], strides[i] = n.align(sources[i], levels[i])
	}
	used := map[int]int{} // convolutions so far that read a source
	for j := range len(rows) / 2 {
		first := j * (j + 3) / 2 // edges of the nodes before
		var terms [2]torch.Tensor
		for k, row := range rows[2*j : 2*j+2] {
			i, op := row[0]-first, row[1]
			if i >= 2 && op == 0 {
				terms[k] = sources[i]
				continue
			}
			stride := int64(1)
			if i < 2 {
				stride = strides[i]
			}
			terms[k] = n.convolution("from_"+genotype.Source(i).String(), used[i], sources[i], stride, temperatures[op])
			used[i]++
		}
		sources = append(sources, n.fire(s.Add(terms[0], terms[1]), temperature))
	}
	return s.Cat(sources[2:], 1)
}
