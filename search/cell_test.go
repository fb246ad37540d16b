package search

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
)

// where is a place with its inputs one or two levels above.
type where struct {
	name       string
	downsample genotype.Downsample
	levels     [2]int // that s0 and s1 are above the cell
}

var everywhere = []where{
	{"same grid", genotype.DownsampleReduction, [2]int{0, 0}},
	{"reduction", genotype.DownsampleReduction, [2]int{1, 1}},
	{"after reduction", genotype.DownsampleReduction, [2]int{1, 0}},
	{"two reductions", genotype.DownsampleReduction, [2]int{2, 1}},
	{"nearest", genotype.DownsampleNearest, [2]int{1, 1}},
	{"after nearest", genotype.DownsampleNearest, [2]int{1, 0}},
	{"nearest twice", genotype.DownsampleNearest, [2]int{2, 1}},
}

const (
	cellLevel  = 2
	cellHeight = 13 // of an input at level 0: 13, 7, 4
	cellWidth  = 10 // 10, 5, 3
)

func (w where) place(nodes, width int) place {
	at := place{level: cellLevel, channels: width, resizes: w.downsample == genotype.DownsampleNearest, reduction: w.levels[1] > 0}
	at.s0 = feature{channels: 3, level: cellLevel - w.levels[0]}
	at.s1 = feature{channels: 4, level: cellLevel - w.levels[1]}
	return at
}

// input draws spikes for s0 (3 channels) or s1 (4) on their grids.
func (w where) input(t *testing.T, s *torch.Scope, which int) torch.Tensor {
	h, width := int64(cellHeight), int64(cellWidth)
	for range cellLevel - w.levels[which] {
		h, width = (h+1)/2, (width+1)/2
	}
	return spikesLike(t, s, 6, int64(3+which), h, width)
}

func (w where) naive(t *testing.T, s *torch.Scope, v *torch.Variables, mode torch.Mode, o *Options) *naive {
	return &naive{t: t, s: s, v: v, mode: mode, mixing: o.Mixing, steps: o.Steps, width: o.Width,
		nearest: w.downsample == genotype.DownsampleNearest, neuron: o.Neuron}
}

func modes(t *testing.T, run func(t *testing.T, w where, mixing Mixing, mode torch.Mode)) {
	for _, w := range everywhere {
		for _, mixing := range []Mixing{MixSpike, MixMembrane} {
			for _, mode := range []torch.Mode{torch.Train, torch.Evaluate} {
				t.Run(fmt.Sprintf("%s %s train=%t", w.name, mixing, mode), func(t *testing.T) { run(t, w, mixing, mode) })
			}
		}
	}
}

// A cell of the supernet is eq. 3 and 4, forward and backward.
func TestMixedCellAgainstTheFormula(t *testing.T) {
	for nodes := 2; nodes <= 4; nodes++ {
		t.Run(fmt.Sprint(nodes, " nodes"), func(t *testing.T) {
			modes(t, func(t *testing.T, w where, mixing Mixing, mode torch.Mode) {
				s := begin(t, uint64(10+nodes))
				o := tinyOptions(0)
				o.Mixing = mixing
				v := torch.NewVariables(torch.CPU())
				defer v.Close()
				c := newMixedCell(v.Root(), w.place(nodes, o.Width), nodes, &o)
				require.NoError(t, v.Err())
				unsettle(t, s, v)
				s0, s1 := w.input(t, s, 0), w.input(t, s, 1)
				alpha := s.Randn(torch.CPU(), int64(genotype.Edges(nodes)), 3)
				require.NoError(t, torch.RequireGradient(alpha, true))
				leaves := append(v.Parameters(), leaf("alpha", alpha), leaf("s0", s0), leaf("s1", s1))

				want := w.naive(t, s, v, mode, &o).mixed(nodes, s0, s1, alpha, w.levels, o.Temperature)
				have := c.Forward(Pass{Scope: s, Mode: mode}, s.Softmax(alpha, 1), s0, s1)
				require.NoError(t, s.Err())
				compareCells(t, s, want, have, leaves)
			})
		})
	}
}

// A decoded cell is eq. 3 over its edges.
func TestCellAgainstTheFormula(t *testing.T) {
	for _, rows := range [][][2]int{twoNodes, threeNodes, fourNodes} {
		t.Run(fmt.Sprint(len(rows)/2, " nodes"), func(t *testing.T) {
			modes(t, func(t *testing.T, w where, mixing Mixing, mode torch.Mode) {
				s := begin(t, uint64(20+len(rows)))
				o := tinyOptions(0)
				o.Mixing = mixing
				want, have, leaves := w.compute(t, s, rows, mode, &o)
				compareCells(t, s, want, have, leaves)
			})
		})
	}
}

// compute is a cell of its wiring by the formula and by the code, with the leaves of both.
func (w where) compute(
	t *testing.T, s *torch.Scope, rows [][2]int, mode torch.Mode, o *Options,
) (want, have torch.Tensor, leaves []torch.Variable) {
	t.Helper()
	wiring, err := genotype.NewCell(rows)
	require.NoError(t, err)
	v := torch.NewVariables(torch.CPU())
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	c := newCell(v.Root(), w.place(wiring.Nodes, o.Width), wiring, o)
	require.NoError(t, v.Err())
	unsettle(t, s, v)
	s0, s1 := w.input(t, s, 0), w.input(t, s, 1)
	formula := w.naive(t, s, v, mode, o)
	formula.analog = o.analog()
	want = formula.derived(rows, s0, s1, w.levels, o.Temperature)
	have = c.Forward(Pass{Scope: s, Mode: mode}, s0, s1)
	require.NoError(t, s.Err())
	return want, have, append(v.Parameters(), leaf("s0", s0), leaf("s1", s1))
}

func leaf(name string, x torch.Tensor) torch.Variable { return torch.Variable{Name: name, Value: x} }

// compareCells compares spikes, which are exact, and all gradients.
func compareCells(t *testing.T, s *torch.Scope, want, have torch.Tensor, leaves []torch.Variable) {
	t.Helper()
	require.Equal(t, s.Shape(want), s.Shape(have))
	require.Equal(t, read(t, want), read(t, have))
	requireSomeSpikes(t, have)
	weights := s.Randn(torch.CPU(), s.Shape(have)...)
	wantGradients := s.GradientOf(weigh(s, want, weights), torch.Tensors(leaves))
	haveGradients := s.GradientOf(weigh(s, have, weights), torch.Tensors(leaves))
	require.NoError(t, s.Err())
	requireSameGradients(t, leaves, wantGradients, haveGradients)
}

// Skip is the identity between nodes and has no weights there; from s0 and s1 it
// is a convolution.
func TestSkip(t *testing.T) {
	begin(t, 1)
	assert.True(t, isConv(genotype.S0, genotype.Skip))
	assert.True(t, isConv(genotype.S1, genotype.Skip))
	assert.False(t, isConv(genotype.FromNode(0), genotype.Skip))
	assert.True(t, isConv(genotype.FromNode(0), genotype.B3))
	wiring, err := genotype.NewCell([][2]int{{0, 0}, {1, 0}, {4, 0}, {3, 0}})
	require.NoError(t, err)
	o := tinyOptions(0)
	v := torch.NewVariables(torch.CPU())
	defer v.Close()
	c := newCell(v.Root(), everywhere[0].place(2, o.Width), wiring, &o)
	require.NoError(t, v.Err())
	wide := wideOf(c)
	require.Len(t, wide, 2)
	assert.Len(t, wide["from_s0"].readers, 1)
	assert.Len(t, wide["from_s1"].readers, 2)
	_, ok := v.Lookup("from_n0.conv.weight")
	assert.False(t, ok)
}

// With one operation far ahead on every edge, a supernet's cell is the cell in
// which that operation stands alone on all edges.
func TestMixedCellWithDecidedAlpha(t *testing.T) {
	s := begin(t, 5)
	o := tinyOptions(0)
	v := torch.NewVariables(torch.CPU())
	defer v.Close()
	w := everywhere[0]
	c := newMixedCell(v.Root(), w.place(1, o.Width), 1, &o)
	require.NoError(t, v.Err())
	s0, s1 := w.input(t, s, 0), w.input(t, s, 1)
	alpha := torch.FromSlice(s, []float32{0, 60, 0, 0, 0, 60}, 2, 3)
	have := c.Forward(Pass{Scope: s, Mode: torch.Train}, s.Softmax(alpha, 1), s0, s1)
	n := w.naive(t, s, v, torch.Train, &o)
	want := n.fire(s.Add(n.convolution("from_s0", 1, s0, 1, 3), n.convolution("from_s1", 2, s1, 1, 5)), 3)
	require.NoError(t, s.Err())
	assert.Equal(t, read(t, want), read(t, have))
	requireSomeSpikes(t, have)
}

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
