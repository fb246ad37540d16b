package search

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
)

// edgesFrom are edges from a source into nodes, with an operation each.
func edgesFrom(src genotype.Source, nodes []int, ops ...genotype.Op) []genotype.Edge {
	var edges []genotype.Edge
	for i, node := range nodes {
		edges = append(edges, genotype.Edge{Index: genotype.EdgeIndex(node, src), Op: ops[i]})
	}
	return edges
}

// One wide convolution gives every reader what a convolution, normalisation
// and neuron layer of its own would.
func TestWideConvolutionIsSeparateConvolutions(t *testing.T) {
	readers := edgesFrom(genotype.S0, []int{0, 0, 1, 3}, genotype.Skip, genotype.B5, genotype.B3, genotype.B5)
	for _, mixing := range []Mixing{MixSpike, MixMembrane} {
		for _, mode := range []torch.Mode{torch.Train, torch.Evaluate} {
			for _, stride := range []int{1, 2} {
				t.Run(fmt.Sprintf("%s train=%t stride %d", mixing, mode, stride), func(t *testing.T) {
					s := begin(t, 1)
					o := tinyOptions(0)
					o.Mixing = mixing
					v := torch.NewVariables(torch.CPU())
					defer v.Close()
					f := newWideConv(v.Root().Sub("bank"), "", ConvShape{In: 3, Out: 2, Stride: stride}, readers, &o)
					require.NoError(t, v.Err())
					unsettle(t, s, v)
					x := spikesLike(t, s, 6, 3, 5, 4)
					leaves := append(v.Parameters(), leaf("x", x))

					n := naive{t: t, s: s, v: v, mode: mode, mixing: mixing, steps: o.Steps, width: 2, neuron: o.Neuron,
						statistics: map[string]map[int][2]torch.Tensor{}}
					var want []torch.Tensor
					for i, r := range readers {
						want = append(want, n.convolution("bank", i, x, int64(stride), temperatures[r.Op]))
					}
					whole := f.Forward(Pass{Scope: s, Mode: mode}, x)
					have := s.Split(whole, 1, f.width)
					require.NoError(t, s.Err())
					require.Len(t, have, len(readers))
					for i := range readers {
						requireClose(t, want[i], have[i], fmt.Sprint("reader ", i))
						if mixing == MixSpike {
							requireSomeSpikes(t, have[i])
						}
						for k, name := range []string{"running_mean", "running_var"} {
							requireClose(t, n.statistics["bank"][i][k], s.Narrow(n.value("bank.norm."+name), 0, 2*i, 2), name)
						}
					}
					weights := s.Randn(torch.CPU(), s.Shape(whole)...)
					wantGradients := s.GradientOf(weigh(s, s.Cat(want, 1), weights), torch.Tensors(leaves))
					haveGradients := s.GradientOf(weigh(s, s.Cat(have, 1), weights), torch.Tensors(leaves))
					require.NoError(t, s.Err())
					requireSameGradients(t, leaves, wantGradients, haveGradients)
				})
			}
		}
	}
}

func TestWideConvolutionOfNobody(t *testing.T) {
	begin(t, 1)
	o := tinyOptions(0)
	v := torch.NewVariables(torch.CPU())
	defer v.Close()
	assert.Nil(t, newWideConv(v.Root(), "", ConvShape{In: 3, Out: 2}, nil, &o))
	assert.Empty(t, v.All())
}

// The temperature of the surrogate belongs to the reader: with b3 and b5 reading
// the same weights, spikes agree and gradients do not.
func TestWideConvolutionKeepsTemperaturesApart(t *testing.T) {
	s := begin(t, 2)
	o := tinyOptions(0)
	o.Mixing = MixSpike
	v := torch.NewVariables(torch.CPU())
	defer v.Close()
	f := newWideConv(v.Root(), "", ConvShape{In: 2, Out: 2}, edgesFrom(genotype.S0, []int{0, 0, 0}, genotype.B3, genotype.B5, genotype.Skip), &o)
	require.NoError(t, v.Err())
	assert.Equal(t, []float32{3, 3, 5, 5, 3, 3}, read(t, f.neurons.Temperature))
	c := s.WithoutGradient()
	for _, x := range v.Parameters() {
		for block := 1; block < 3; block++ {
			c.CopyTo(c.Narrow(x.Value, 0, 2*block, 2), c.Narrow(x.Value, 0, 0, 2))
		}
	}
	require.NoError(t, c.Close())
	parts := s.Split(f.Forward(Pass{Scope: s, Mode: torch.Train}, spikesLike(t, s, 6, 2, 6, 6)), 1, f.width)
	weights := s.Randn(torch.CPU(), 6, 2, 6, 6)
	for _, part := range parts {
		assert.Equal(t, read(t, parts[0]), read(t, part))
	}
	loss := weigh(s, s.Cat(parts, 1), s.Cat([]torch.Tensor{weights, weights, weights}, 1))
	gradients := s.GradientOf(loss, []torch.Tensor{f.conv.Weight})
	require.NoError(t, s.Err())
	all := read(t, gradients[0])
	size := len(all) / 3
	b3, b5, skip := all[:size], all[size:2*size], all[2*size:]
	assert.InDeltaSlice(t, b3, skip, 1e-4)
	different := 0
	for i := range b3 {
		if d := b3[i] - b5[i]; d > 1e-2 || d < -1e-2 {
			different++
		}
	}
	assert.Greater(t, different, size/2)
}
