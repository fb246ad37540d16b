package search

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/search/trellis"
	"github.com/spikedhs/spikedhs/torch"
)

func newTrellis(t *testing.T, nodes int, o Options) *TrellisSupernet {
	t.Helper()
	n, err := NewTrellisSupernet(torch.CPU(), nodes, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Close()) })
	return n
}

// trellisOptions search with analog stems and operations mixed at the spike.
func trellisOptions(layers int) Options {
	o := tinyOptions(make([]int, layers)...)
	o.Mixing, o.Stem, o.Head, o.Unfused = MixSpike, StemReLU, HeadRate, true
	return o
}

// setBeta puts numbers in the place of beta: chosen moves get a large logit.
func setBeta(t *testing.T, s *torch.Scope, n *TrellisSupernet, chosen map[[2]int]trellis.Move) {
	t.Helper()
	beta := make([]float32, n.space.Layers*trellis.Levels*int(trellis.Moves))
	for at, move := range chosen {
		beta[(at[0]*trellis.Levels+at[1])*int(trellis.Moves)+int(move)] = 200
	}
	c := s.WithoutGradient()
	c.CopyTo(n.beta, torch.FromSlice(c, beta, int64(n.space.Layers), trellis.Levels, int64(trellis.Moves)))
	require.NoError(t, c.Close())
}

// oracle computes the supernet by its definition, place by place and without sharing
// code with [trellis.Run]: the feature of a level after a layer is the sum over the
// levels it can come from.
type trellisOracle struct {
	t     *testing.T
	s     *torch.Scope
	n     *TrellisSupernet
	p     trellis.Beta
	alpha torch.Tensor
	x     torch.Tensor // stem
	memo  map[[2]int]torch.Tensor
}

// feature of a level after a layer; layer -1 is the stem. No tensor where nothing is.
func (o *trellisOracle) feature(layer, level int) torch.Tensor {
	if layer < 0 {
		if level == 0 {
			return o.x
		}
		return torch.Tensor{}
	}
	if level > layer+1 || level >= o.n.space.Levels {
		return torch.Tensor{}
	}
	if y, ok := o.memo[[2]int{layer, level}]; ok {
		return y
	}
	var sum torch.Tensor
	for from := level - 1; from <= level+1; from++ {
		if from < 0 || from >= o.n.space.Levels || !torch.Defined(o.feature(layer-1, from)) {
			continue
		}
		move := map[int]trellis.Move{level - 1: trellis.Down, level: trellis.Same, level + 1: trellis.Up}[from]
		y := o.s.Scale(o.cell(layer, from, level), o.p[layer][from][move])
		if torch.Defined(sum) {
			y = o.s.Add(sum, y)
		}
		sum = y
	}
	o.memo[[2]int{layer, level}] = sum
	return sum
}

// pick resizes by naming the source pixel of each pixel: i*from/to, rounded down.
func (o *trellisOracle) pick(x torch.Tensor, dim, to int) torch.Tensor {
	from := int(o.s.Size(x, dim))
	index := make([]int64, to)
	for i := range index {
		index[i] = int64(i * from / to)
	}
	return o.s.Tensor("aten::index_select", x, dim, torch.FromSlice(o.s, index, int64(to)))
}

func (o *trellisOracle) cell(layer, from, to int) torch.Tensor {
	s1 := o.feature(layer-1, from)
	for dim := 2; dim <= 3; dim++ {
		size := int(o.s.Size(o.x, dim))
		for range to {
			size = int(math.Ceil(float64(size) / 2))
		}
		s1 = o.pick(s1, dim, size)
	}
	s0 := o.feature(layer-2, to)
	if layer == 0 && to == 0 {
		s0 = o.x // the stem stands for both inputs
	}
	b := o.n.cells[trellis.Cell{Layer: layer, From: from, To: to, Move: trellis.Move(to - from + 1)}]
	require.NotNil(o.t, b, "layer %d, %d to %d", layer, from, to)
	require.Equal(o.t, !torch.Defined(s0), wideOf(b)["from_s0"] == nil)
	return b.Forward(Pass{Scope: o.s, Mode: torch.Evaluate}, o.alpha, s0, s1)
}

// logits are the mean of the classifiers, weighted by all paths one by one.
func (o *trellisOracle) logits() torch.Tensor {
	layers, coarsest := o.n.space.Layers, o.n.space.Levels-1
	var weights [4]float64
	total := 0.0
	var walk func(layer, level int, product float64)
	walk = func(layer, level int, product float64) {
		if layer == layers {
			weights[level] += product
			total += product
			return
		}
		for to := max(level-1, 0); to <= min(level+1, coarsest); to++ {
			walk(layer+1, to, product*o.p[layer][level][to-level+1])
		}
	}
	walk(0, 0, 1)
	var sum torch.Tensor
	for level := range min(layers, coarsest) + 1 {
		y := o.n.heads[level].forward(Pass{Scope: o.s, Mode: torch.Evaluate}, o.feature(layers-1, level))
		y = o.s.Scale(y, weights[level]/total)
		if torch.Defined(sum) {
			y = o.s.Add(sum, y)
		}
		sum = y
	}
	return sum
}

func newOracle(t *testing.T, s *torch.Scope, n *TrellisSupernet, images torch.Tensor) *trellisOracle {
	t.Helper()
	beta, err := n.Beta()
	require.NoError(t, err)
	p, err := n.space.Probabilities(beta)
	require.NoError(t, err)
	return &trellisOracle{
		t: t, s: s, n: n, p: p, alpha: s.Softmax(n.alpha, 1),
		x: n.stem.forward(Pass{Scope: s, Mode: torch.Evaluate}, images, &n.Options), memo: map[[2]int]torch.Tensor{},
	}
}

// The supernet is its definition, on odd grids too.
func TestTrellisSupernetAgainstItsDefinition(t *testing.T) {
	for trial := range 10 {
		layers, levels := 1+trial%4, trellis.Levels
		if trial >= 8 {
			layers, levels = 4, trial-7 // 1 and 2
		}
		for _, head := range []Head{HeadRate, HeadLIF} {
			t.Run(fmt.Sprint(layers, levels, head), func(t *testing.T) {
				s := begin(t, uint64(600+layers))
				o := trellisOptions(layers)
				o.Head, o.TrellisLevels = head, levels
				n := newTrellis(t, 2, o)
				unsettle(t, s, n.Weights())
				images := s.Randn(torch.CPU(), 2, 1, 11, 13)
				have := n.Forward(Pass{Scope: s, Mode: torch.Evaluate}, images).Logits
				require.NoError(t, s.Err())
				assert.Equal(t, []int64{2, 3}, s.Shape(have))
				want := newOracle(t, s, n, images).logits()
				require.NoError(t, s.Err())
				if head == HeadRate {
					requireWithin(t, 1e-4, want, have, "logits")
				} else { // a rate at rounding distance from the threshold may fire
					requireWithin(t, 0.5, want, have, "logits")
				}
			})
		}
	}
}

// With a decided beta the supernet is the network of the path, cell by cell with the
// same weights: along 0 0 0 every input of a cell is on the path.
func TestTrellisSupernetOfADecidedPath(t *testing.T) {
	s := begin(t, 610)
	n := newTrellis(t, 2, trellisOptions(3))
	unsettle(t, s, n.Weights())
	setBeta(t, s, n, map[[2]int]trellis.Move{
		{0, 0}: trellis.Same, {1, 0}: trellis.Same, {2, 0}: trellis.Same,
		{1, 1}: trellis.Down, {2, 1}: trellis.Down, {2, 2}: trellis.Same,
	})
	images := s.Randn(torch.CPU(), 2, 1, 9, 12)
	p := Pass{Scope: s, Mode: torch.Evaluate}
	s0 := n.stem.forward(p, images, &n.Options)
	s1, alpha := s0, s.Softmax(n.alpha, 1)
	for layer := range 3 {
		y := n.cells[trellis.Cell{Layer: layer, Move: trellis.Same}].Forward(p, alpha, s0, s1)
		s0, s1 = s1, s.Scale(y, 2.0/3) // the moves of level 0 sum to 2/3
	}
	want := n.heads[0].forward(p, s1)
	requireClose(t, want, n.Forward(p, images).Logits, "logits")
	g, err := n.Decode("decided")
	require.NoError(t, err)
	assert.Equal(t, []int{0, 0, 0}, g.Path())
	require.NoError(t, s.Err())
}

// Every weight has a gradient, and every alpha and every beta of a move that exists
// moves the loss; fused cells have the gradients of the layers one by one.
func TestTrellisSupernetGradients(t *testing.T) {
	s := begin(t, 620)
	o := trellisOptions(4)
	n := newTrellis(t, 2, o)
	unsettle(t, s, n.Weights())
	o.Unfused = false
	fused := newTrellis(t, 2, o)
	require.NoError(t, fused.Weights().Assign(byName(n.Weights())))
	require.NoError(t, fused.Architecture().Assign(byName(n.Architecture())))
	images := s.Randn(torch.CPU(), 3, 1, 8, 11)
	gradients := func(n *TrellisSupernet) []torch.Tensor {
		out := n.Forward(Pass{Scope: s, Mode: torch.Train}, images)
		loss := s.CrossEntropy(out.Logits, torch.FromSlice(s, []int64{0, 1, 2}, 3))
		return s.GradientOf(loss, torch.Tensors(append(n.Weights().Parameters(), n.Architecture().Parameters()...)))
	}
	all := append(n.Weights().Parameters(), n.Architecture().Parameters()...)
	want := gradients(n)
	require.NoError(t, s.Err())
	for i, have := range gradients(fused) {
		// The normalisation of three logits magnifies what rounding is between them.
		requireWithin(t, 1e-3, want[i], have, "gradient of "+all[i].Name)
	}
	for i, v := range all {
		require.True(t, torch.Defined(want[i]), v.Name)
		values := read(t, want[i])
		if v.Name != "beta" {
			continue
		}
		grad, err := trellis.Read(want[i])
		require.NoError(t, err)
		for _, c := range trellis.Full(4).Cells() {
			assert.NotZero(t, grad[c.Layer][c.From][c.Move], "%+v", c)
		}
		some := 0
		for _, g := range values {
			if g != 0 {
				some++
			}
		}
		assert.Equal(t, len(trellis.Full(4).Cells()), some, "and no other")
	}
}

func byName(v *torch.Variables) map[string]torch.Tensor {
	list := map[string]torch.Tensor{}
	for _, x := range v.All() {
		list[x.Name] = x.Value
	}
	return list
}

// The path is the best of all, which is not the one of the best single moves.
func TestTrellisSupernetDecodesByViterbi(t *testing.T) {
	s := begin(t, 630)
	n := newTrellis(t, 3, trellisOptions(2))
	c := s.WithoutGradient()
	beta := make([]float32, 2*trellis.Levels*int(trellis.Moves))
	set := func(layer, level int, up, same, down float64) {
		for m, p := range []float64{up, same, down} {
			beta[(layer*trellis.Levels+level)*3+m] = float32(math.Log(max(p, 1e-9)))
		}
	}
	set(0, 0, 0, .55, .45)   // the better first move stays ...
	set(1, 0, 0, .5, .5)     // ... but from there nothing is decided,
	set(1, 1, .96, .02, .02) // and level 1 is sure to go up again.
	c.CopyTo(n.beta, torch.FromSlice(c, beta, 2, trellis.Levels, int64(trellis.Moves)))
	require.NoError(t, c.Close())
	g, err := n.Decode("found")
	require.NoError(t, err)
	assert.Equal(t, []int{1, 0}, g.Path())
	assert.True(t, g.FollowsPath())
	assert.Equal(t, genotype.DownsampleNearest, g.Downsample())
	alphas, reduction, err := n.Alphas()
	require.NoError(t, err)
	assert.Nil(t, reduction)
	cell, err := genotype.DecodeCell(alphas, 3)
	require.NoError(t, err)
	assert.Equal(t, cell, g.Normal())

	// What is decoded can be built, on its own levels only.
	o := tinyOptions(1, 0)
	net := newNetwork(t, g, o)
	assert.Equal(t, []int{1, 0}, net.Options.Levels)
	_, err = NewNetwork(torch.CPU(), g, tinyOptions(0, 1))
	require.ErrorIs(t, err, ErrOptions)
	assert.ErrorContains(t, err, "follows its path [1 0]")
}

func TestTrellisSupernetRefuses(t *testing.T) {
	s := begin(t, 640)
	_, err := NewTrellisSupernet(torch.CPU(), 0, trellisOptions(2))
	assert.ErrorIs(t, err, ErrOptions)
	o := trellisOptions(2)
	o.Width = 0
	_, err = NewTrellisSupernet(torch.CPU(), 2, o)
	assert.ErrorIs(t, err, ErrOptions)
	for _, levels := range []int{-1, 5} {
		o = trellisOptions(2)
		o.TrellisLevels = levels
		_, err = NewTrellisSupernet(torch.CPU(), 2, o)
		require.ErrorIs(t, err, ErrOptions)
		assert.ErrorContains(t, err, "want 1 to 4")
	}
	o = trellisOptions(5)
	o.TrellisLevels = 2
	assert.Equal(t, 1, newTrellis(t, 1, o).Deepest())
	n := newTrellis(t, 1, trellisOptions(5))
	require.NoError(t, n.CheckSize(8, 8))
	err = n.CheckSize(8, 7)
	require.ErrorIs(t, err, ErrOptions)
	assert.ErrorContains(t, err, "images of 8x7 leave 8x7 behind the stem; 5 layers reach level 3, which needs 8 pixels a side")
	assert.False(t, strings.Contains(err.Error(), "\n"))
	c := torch.NewInference()
	out := n.Forward(Pass{Scope: c, Mode: torch.Evaluate}, c.Zeros(torch.CPU(), 1, 1, 8, 7))
	assert.False(t, torch.Defined(out.Logits))
	assert.ErrorIs(t, c.Close(), ErrOptions)
	require.NoError(t, s.Err())
}

// Levels that reduction cells cannot have.
func TestReductionCellsDoNotGoUp(t *testing.T) {
	begin(t, 650)
	_, err := NewNetwork(torch.CPU(), wired(t, twoNodes, twoNodes), tinyOptions(1, 0))
	require.ErrorIs(t, err, ErrOptions)
	assert.ErrorContains(t, err, `level of cell 1 is 0 after 1; reduction cells only halve, down-sampling "nearest" goes both ways`)
	_, err = NewSupernet(torch.CPU(), 2, genotype.DownsampleReduction, tinyOptions(0, 1, 0))
	assert.ErrorIs(t, err, ErrOptions)
	n := newSupernet(t, 2, genotype.DownsampleNearest, tinyOptions(0, 1, 0))
	assert.Len(t, n.cells, 3)
}

// The description of a program that goes up has a version of its own, which programs
// that cannot run it refuse; other descriptions keep theirs.
func TestDescriptionOfAPath(t *testing.T) {
	s := begin(t, 660)
	v := variants(t)[0]
	v.options.Levels = []int{1, 0}
	p := v.program(t, v.trained(t, s))
	good, err := p.Description()
	require.NoError(t, err)
	assert.Contains(t, good, `"format": 2`)
	assert.Contains(t, good, `"op": "enlarge"`)
	for message, change := range map[string][2]string{
		"border 2, divisor -1": {"\"stride\": 1,\n   \"pad\": 2\n", "\"stride\": -1,\n   \"pad\": 2\n"},
		"format 4":             {`"format": 2`, `"format": 4`},
	} {
		require.Contains(t, good, change[0])
		_, err := graph.Load(strings.ReplaceAll(good, change[0], change[1]), named(p))
		assert.ErrorIs(t, err, graph.ErrDescription)
		assert.ErrorContains(t, err, message)
	}
	flat := variants(t)[0]
	text, err := flat.program(t, flat.trained(t, s)).Description()
	require.NoError(t, err)
	assert.Contains(t, text, `"format": 1`)
}

// The grid of the up-move is that of a convolution at that level, whatever the size,
// the border and the strides of the stem.
func TestUpMovesReachTheGrid(t *testing.T) {
	s := begin(t, 670)
	for _, strides := range [][]int{{1}, {2}, {3}, {2, 2}, {3, 1, 2}} {
		for size := 16; size < 40; size++ {
			for level := range 3 {
				divisor := int64(1 << level)
				grid := int64(size + 2)
				for _, stride := range strides {
					divisor *= int64(stride)
					grid = (grid-1)/int64(stride) + 1 // 3x3, border 1
				}
				p := graph.New(graph.Spec{Steps: 1, Inputs: []string{"images"}})
				p.Add(graph.Enlarge{X: graph.Input(0), Pad: 1, Divisor: divisor})
				shape := s.Shape(p.Run(s, s.Zeros(torch.CPU(), 1, 1, int64(size), int64(size)+1)))
				require.NoError(t, s.Err())
				h, w := shape[2], shape[3]
				require.Equal(t, graph.Halved(grid, level), h, "%v, size %d, level %d", strides, size, level)
				require.GreaterOrEqual(t, w, h)
			}
		}
	}
}
