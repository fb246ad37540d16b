package stereo

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/trellis"
	"github.com/spikedhs/spikedhs/torch"
)

func newSupernet(t testing.TB, o Options, feature, matching int) *Supernet {
	t.Helper()
	n, err := NewSupernet(torch.CPU(), feature, matching, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Close()) })
	return n
}

func searching() Options {
	o := tiny()
	o.Mixing, o.Stem = search.MixSpike, search.StemReLU
	return o
}

// Every weight and every alpha and beta that exists has a gradient.
func TestSupernetForwardBackward(t *testing.T) {
	s := begin(t, 40)
	for _, levels := range []int{4, 2} {
		o := searching()
		o.Stems, o.TrellisLevels = map[int]Stems{4: StemsB, 2: StemsL}[levels], levels
		n := newSupernet(t, o, 2, 4)
		left, right := stacks(t, s, 2, 48, 66)
		cost := n.Forward(training(s), left, right)
		require.NoError(t, s.Err())
		require.Equal(t, []int64{2, 11, 48, 66}, s.Shape(cost))
		s.Backward(s.Sum(s.Tensor("aten::sin", cost)))
		require.NoError(t, s.Err())
		for _, v := range append(n.Weights().Parameters(), n.Architecture().Parameters()...) {
			require.True(t, torch.Defined(s.Gradient(v.Value)), v.Name)
		}
		for _, half := range []*architecture{n.feature, n.matching} {
			space := half.space
			grad, err := trellis.Read(s.Gradient(half.beta))
			require.NoError(t, err)
			some := 0
			for _, c := range space.Cells() {
				if grad[c.Layer][c.From][c.Move] != 0 {
					some++
				}
			}
			assert.Positive(t, some)
			for l := range grad {
				for level := range trellis.Levels {
					if level >= space.Sources(l) {
						assert.Zero(t, grad[l][level], "no such place")
					}
				}
			}
		}
	}
}

// A move that beta rules out takes no part: its cell has no gradient.
func TestSupernetWeighsMoves(t *testing.T) {
	s := begin(t, 41)
	n := newSupernet(t, searching(), 2, 3)
	chosen := map[[2]int]trellis.Move{{1, 0}: trellis.Down, {1, 1}: trellis.Up} // layer 0 is undecided
	beta := make([]float32, 2*trellis.Levels*int(trellis.Moves))
	for at, move := range chosen {
		beta[(at[0]*trellis.Levels+at[1])*int(trellis.Moves)+int(move)] = 200
	}
	c := s.WithoutGradient()
	c.CopyTo(n.feature.beta, torch.FromSlice(c, beta, 2, trellis.Levels, int64(trellis.Moves)))
	require.NoError(t, c.Close())
	left, right := stacks(t, s, 2, 48, 66)
	s.Backward(s.Sum(s.Tensor("aten::sin", n.Forward(training(s), left, right))))
	require.NoError(t, s.Err())
	for _, cell := range n.feature.space.Cells() {
		total := 0.0
		prefix := fmt.Sprintf("feature.layers.%d.%d_from_%d.", cell.Layer, cell.To, cell.From)
		for _, v := range n.Weights().Parameters() {
			if strings.HasPrefix(v.Name, prefix) {
				for _, x := range read(t, s.Gradient(v.Value)) {
					total += max(x, -x)
				}
			}
		}
		if move, decided := chosen[[2]int{cell.Layer, cell.From}]; !decided || move == cell.Move {
			assert.Positive(t, total, "%+v", cell)
		} else {
			assert.Zero(t, total, "%+v", cell)
		}
	}
	g, err := n.Decode("of a test")
	require.NoError(t, err)
	assert.Equal(t, []int{1, 0}, g.Subnet(Feature).Path, "the move up from level 1 has all the weight")
	require.Len(t, g.Subnet(Matching).Path, 3)

	// What is decoded can be built.
	net, err := NewNetwork(torch.CPU(), g, tiny())
	require.NoError(t, err)
	require.NoError(t, net.Close())
}

func TestSupernetRefuses(t *testing.T) {
	begin(t, 42)
	_, err := NewSupernet(torch.CPU(), 0, 4, tiny())
	assert.ErrorIs(t, err, ErrOptions)
	_, err = NewSupernet(torch.CPU(), 2, 4, Options{Width: 3})
	assert.ErrorIs(t, err, ErrOptions)
}
