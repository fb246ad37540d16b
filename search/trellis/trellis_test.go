package trellis

import (
	"math"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
)

// The two worked examples of the searched paths of stereo.
func TestDecodeExamples(t *testing.T) {
	feature := Beta{
		{{0, -0.2, 0.3}},
		{{0, 0.1, -0.1}, {0.5, 0, -0.3}},
	}
	p, err := Full(2).Probabilities(feature)
	require.NoError(t, err)
	assert.InDeltaSlice(t, []float64{0, 0.2517, 0.4150}, p[0][0][:], 5e-5)
	assert.InDeltaSlice(t, []float64{0, 0.3666, 0.3001}, p[1][0][:], 5e-5)
	assert.InDeltaSlice(t, []float64{0.4864, 0.2950, 0.2186}, p[1][1][:], 5e-5)
	path, best, err := Full(2).Decode(feature)
	require.NoError(t, err)
	assert.Equal(t, []int{1, 0}, path)
	assert.InDelta(t, 0.2018, best, 5e-5)

	matching := Beta{
		{{0, 0, 0.4}},
		{{0, 0.2, 0}, {-0.2, 0, 0.5}},
		{{0, 0, 0}, {0.1, 0, 0}, {-0.1, 0.6, 0}},
		{{0, 0.1, 0}, {0, 0.2, 0}, {0.7, 0, 0.1}, {0, 0, 0}},
	}
	path, best, err = Full(4).Decode(matching)
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2, 2, 1}, path)
	assert.InDelta(t, 0.0454, best, 5e-5)
}

func TestCells(t *testing.T) {
	count := map[int]int{}
	places := map[[2]int]bool{}
	for _, c := range Full(5).Cells() {
		count[c.Layer]++
		places[[2]int{c.Layer, c.To}] = true
		to, ok := Full(5).Target(c.Move, c.From)
		assert.True(t, ok && to == c.To, "%+v", c)
		assert.Less(t, c.From, Full(5).Sources(c.Layer))
	}
	assert.Equal(t, map[int]int{0: 2, 1: 5, 2: 8, 3: 10, 4: 10}, count)
	assert.Len(t, places, 2+3+4+4+4)

	var two []int
	for _, c := range (Space{Layers: 3, Levels: 2}).Cells() {
		two = append(two, 100*c.Layer+10*c.From+c.To)
	}
	assert.Equal(t, []int{0, 1, 100, 110, 101, 111, 200, 210, 201, 211}, two)
}

// paths lists all paths by their definition.
func paths(space Space) [][]int {
	list := [][]int{{}}
	for range space.Layers {
		var longer [][]int
		for _, p := range list {
			at := 0
			if len(p) > 0 {
				at = p[len(p)-1]
			}
			for to := max(0, at-1); to <= min(space.Levels-1, at+1); to++ {
				longer = append(longer, append(append([]int{}, p...), to))
			}
		}
		list = longer
	}
	return list
}

func product(p Beta, path []int) float64 {
	value, at := 1.0, 0
	for l, to := range path {
		value *= p[l][at][to-at+1]
		at = to
	}
	return value
}

func randomBeta(r *rand.Rand, layers int) Beta {
	b := make(Beta, layers)
	for l := range b {
		for s := range b[l] {
			for m := range b[l][s] {
				b[l][s][m] = r.NormFloat64()
			}
		}
	}
	return b
}

// Sums and the best path against all paths one by one.
func TestAgainstBruteForce(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for trial := range 1200 {
		space := Space{Layers: 1 + trial%6, Levels: 1 + trial/6%Levels}
		layers := space.Layers
		b := randomBeta(r, layers)
		p, err := space.Probabilities(b)
		require.NoError(t, err)
		var sums [Levels]float64
		best, bestPath := -1.0, []int(nil)
		for _, path := range paths(space) {
			v := product(p, path)
			sums[path[layers-1]] += v
			if v > best {
				best, bestPath = v, path
			}
		}
		path, value, err := space.Decode(b)
		require.NoError(t, err)
		assert.Equal(t, bestPath, path)
		assert.InDelta(t, best, value, 1e-12)
		checkRun(t, p, space, sums)
	}
}

// A supernet whose cells hand s1 on sums the probabilities of all paths.
func checkRun(t *testing.T, p Beta, space Space, sums [Levels]float64) {
	t.Helper()
	out := Run(space, []float64{1}, Network[float64]{
		Cell: func(_ Cell, _, s1 Feature[float64]) float64 {
			require.True(t, s1.OK)
			return s1.Value
		},
		Join: func(cells []Cell, outputs []float64) float64 {
			sum := 0.0
			for i, c := range cells {
				sum += p[c.Layer][c.From][c.Move] * outputs[i]
			}
			return sum
		},
	})
	for s, f := range out {
		assert.Equal(t, s <= space.Layers && s < space.Levels, f.OK)
		assert.InDelta(t, sums[s], f.Value, 1e-12)
	}
}

// s0 is what the level held two layers ago: here its number.
func TestRunHandsOutS0(t *testing.T) {
	want := map[Cell]int{ // with start {-2, -1} and outputs numbered 10*layer + level
		{0, 0, 0, Same}: -2,
		{1, 0, 0, Same}: -1, {1, 1, 0, Up}: -1,
		{2, 0, 0, Same}: 0, {2, 1, 0, Up}: 0,
		{2, 0, 1, Down}: 1, {2, 1, 1, Same}: 1, {2, 2, 1, Up}: 1,
	}
	have := map[Cell]int{}
	Run(Full(3), []int{-2, -1}, Network[int]{
		Cell: func(c Cell, s0, s1 Feature[int]) int {
			if s0.OK {
				have[c] = s0.Value
			}
			wantS1 := 10*(c.Layer-1) + c.From
			if c.Layer == 0 {
				wantS1 = -1
			}
			assert.Equal(t, wantS1, s1.Value)
			return 0
		},
		Join: func(cells []Cell, _ []int) int { return 10*cells[0].Layer + cells[0].To },
	})
	assert.Equal(t, want, have)
}

// At the start of a search every move of the trellis weighs 1/3.
func TestEvenStart(t *testing.T) {
	for levels := 1; levels <= Levels; levels++ {
		space := Space{Layers: 4, Levels: levels}
		p, err := space.Probabilities(make(Beta, 4))
		require.NoError(t, err)
		for _, c := range space.Cells() {
			assert.InDelta(t, 1.0/3, p[c.Layer][c.From][c.Move], 1e-12)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	_, _, err := Full(1).Decode(nil)
	assert.ErrorIs(t, err, ErrBeta)
	for _, space := range []Space{{}, {Layers: 1}, {Layers: 1, Levels: 5}, {Layers: 0, Levels: 4}} {
		_, _, err = space.Decode(make(Beta, space.Layers))
		assert.ErrorIs(t, err, ErrSpace)
	}
	_, _, err = Full(1).Decode(Beta{{{0, math.NaN(), 0}}})
	assert.ErrorIs(t, err, ErrBeta)
	_, _, err = Full(1).Decode(Beta{{{math.NaN(), 0, 0}}})
	assert.NoError(t, err, "level 0 has no move up")
}

// The tensor has the same probabilities, and their gradient.
func TestWeights(t *testing.T) {
	s := torch.NewScope()
	defer s.Close()
	for levels := 1; levels <= Levels; levels++ {
		checkWeights(t, s, Space{Layers: 4, Levels: levels})
	}
	require.NoError(t, s.Err())
}

func checkWeights(t *testing.T, s *torch.Scope, space Space) {
	t.Helper()
	b := randomBeta(rand.New(rand.NewSource(2)), 4)
	var flat []float32
	for _, layer := range b {
		for _, level := range layer {
			for _, v := range level {
				flat = append(flat, float32(v))
			}
		}
	}
	beta := torch.FromSlice(s, flat, 4, Levels, int64(Moves))
	require.NoError(t, torch.RequireGradient(beta, true))
	weights := tableOf(t, space).Weights(s, beta)
	p, err := space.Probabilities(b)
	require.NoError(t, err)
	have, err := Read(weights.All)
	require.NoError(t, err)
	exists := map[[3]int]bool{}
	for _, c := range space.Cells() {
		exists[[3]int{c.Layer, c.From, int(c.Move)}] = true
		assert.InDelta(t, p[c.Layer][c.From][c.Move], have[c.Layer][c.From][c.Move], 1e-6)
	}
	if space.Levels == 1 {
		assert.Equal(t, float32(1.0/3), float32(have[2][0][Same]), "nothing to choose")
		return
	}
	pick := Cell{2, 0, 1, Down}
	into := weights.into[[2]int{pick.Layer, pick.To}] // from 0, 1 and 2
	require.Equal(t, []int64{int64(min(space.Levels, 3))}, s.Shape(into))
	s.Backward(s.Select(into, 0, 0))
	grad, err := Read(s.Gradient(beta))
	require.NoError(t, err)
	const share = 2.0 / 3 // of level 0
	q := p[2][0][Down] / share
	assert.InDelta(t, share*q*(1-q), grad[2][0][Down], 1e-6)
	assert.InDelta(t, -share*q*(1-q), grad[2][0][Same], 1e-6)
	assert.Zero(t, grad[2][0][Up])
	assert.Zero(t, grad[1][0][Down])
	for l := range grad {
		for level := range grad[l] {
			for m, g := range grad[l][level] {
				assert.False(t, math.IsNaN(g), "%d %d %d", l, level, m)
				if !exists[[3]int{l, level, m}] {
					assert.Zero(t, g)
				}
			}
		}
	}
}

// tableOf is the table of a space on the CPU, as long as the test.
func tableOf(t *testing.T, space Space) *Table {
	t.Helper()
	v := torch.NewVariables(torch.CPU())
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	table := space.Table(v.Root())
	require.NoError(t, v.Err())
	require.Empty(t, v.All(), "no checkpoint has the table")
	return table
}

// ends are the sums over all paths, by the level that they end at and altogether.
func ends(p Beta, space Space) (sums [Levels]float64, total float64) {
	for _, path := range paths(space) {
		v := product(p, path)
		sums[path[space.Layers-1]] += v
		total += v
	}
	return sums, total
}

// checkEndsGradient compares the gradient of the share of level 1 with differences of
// what all paths sum to.
func checkEndsGradient(t *testing.T, space Space, b, gradient Beta) {
	t.Helper()
	share := func() float64 {
		p, err := space.Probabilities(b)
		require.NoError(t, err)
		sums, total := ends(p, space)
		return sums[1] / total
	}
	const h = 1e-5
	for _, c := range space.Cells() {
		at := &b[c.Layer][c.From][c.Move]
		kept := *at
		*at = kept + h
		above := share()
		*at = kept - h
		below := share()
		*at = kept
		assert.InDelta(t, (above-below)/(2*h), gradient[c.Layer][c.From][c.Move], 1e-5, "%+v", c)
	}
}

// Both ways to join outputs against sums in float64, values and gradients; the order in
// memory stays that of the outputs.
func TestJoin(t *testing.T) {
	forms := map[string]func(*torch.Scope, torch.Tensor, []torch.Tensor, func(torch.Tensor)) torch.Tensor{
		"one by one": joinOneByOne, "together": joinTogether,
	}
	r := rand.New(rand.NewSource(3))
	draw := func(n int) []float64 {
		list := make([]float64, n)
		for i := range list {
			list[i] = float64(float32(r.NormFloat64()))
		}
		return list
	}
	for name, join := range forms {
		for count := 1; count <= 3; count++ {
			s := torch.NewScope()
			const size = 2 * 3 * 4 * 5
			weights, factors := draw(count), draw(size)
			leaf := func(values []float64, shape ...int64) torch.Tensor {
				x := s.Detach(s.Cast(torch.FromSlice(s, values, shape...), torch.Float32))
				require.NoError(t, torch.RequireGradient(x, true))
				return x
			}
			leaves := []torch.Tensor{leaf(weights, int64(count))}
			var outputs []torch.Tensor
			var values [][]float64
			for range count {
				values = append(values, draw(size))
				y := leaf(values[len(values)-1], 2, 3, 4, 5)
				leaves, outputs = append(leaves, y), append(outputs, s.ChannelsLast(y))
			}
			freed := 0
			sum := join(s, leaves[0], outputs, func(torch.Tensor) { freed++ })
			require.NoError(t, s.Err())
			require.Equal(t, count, freed, name)
			last := s.Tensor("aten::permute", sum, []int64{0, 2, 3, 1})
			s.Tensor("aten::view", last, []int64{-1}) // takes no other order in memory
			require.NoError(t, s.Err(), "%s of %d", name, count)
			factor := s.Cast(torch.FromSlice(s, factors, 2, 3, 4, 5), torch.Float32)
			gradients := s.GradientOf(s.Sum(s.Mul(sum, factor)), leaves)
			have := func(x torch.Tensor) []float64 {
				list, err := torch.ToSlice[float64](s.Cast(s.Contiguous(x), torch.Float64))
				require.NoError(t, err)
				return list
			}
			wantSum, wantWeights := make([]float64, size), make([]float64, count)
			for k, y := range values {
				wantGradient := make([]float64, size)
				for i := range y {
					wantSum[i] += weights[k] * y[i]
					wantWeights[k] += factors[i] * y[i]
					wantGradient[i] = factors[i] * weights[k]
				}
				assert.InDeltaSlice(t, wantGradient, have(gradients[1+k]), 1e-5, "%s of %d, output %d", name, count, k)
			}
			assert.InDeltaSlice(t, wantSum, have(sum), 1e-5, "%s of %d", name, count)
			assert.InDeltaSlice(t, wantWeights, have(gradients[0]), 1e-4, "%s of %d", name, count)
			require.NoError(t, s.Close())
		}
	}
}

// The shares of the ends against all paths, and their gradient: shares sum to 1, so
// nothing moves their sum.
func TestEnds(t *testing.T) {
	s := torch.NewScope()
	defer s.Close()
	for trial := range 15 {
		space := Space{Layers: 1 + trial%5, Levels: 2 + trial/5}
		layers := space.Layers
		b := randomBeta(rand.New(rand.NewSource(int64(layers))), layers)
		var flat []float32
		for _, layer := range b {
			for _, level := range layer {
				for _, v := range level {
					flat = append(flat, float32(v))
				}
			}
		}
		beta := torch.FromSlice(s, flat, int64(layers), Levels, int64(Moves))
		require.NoError(t, torch.RequireGradient(beta, true))
		p, err := space.Probabilities(b)
		require.NoError(t, err)
		want, total := ends(p, space)
		for _, form := range []func(*Weights, *torch.Scope) [Levels]torch.Tensor{(*Weights).endsByCells, (*Weights).endsByLayers} {
			shares := form(tableOf(t, space).Weights(s, beta), s)
			for level, share := range shares {
				require.Equal(t, level <= layers && level < space.Levels, torch.Defined(share))
				if torch.Defined(share) {
					assert.InDelta(t, want[level]/total, s.Item(share), 1e-6)
				}
			}
			gradient, err := Read(s.GradientOf(shares[1], []torch.Tensor{beta})[0])
			require.NoError(t, err)
			checkEndsGradient(t, space, b, gradient)
		}
	}
	require.NoError(t, s.Err())
}
