package graph

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
)

// Convolutions over three dimensions, in runs of planes, of several sequences at
// once, and to one channel, are those of libtorch.
func TestConvolutionsOverPlanes(t *testing.T) {
	const planes, in, height, width = 21, 24, 60, 50
	s := begin(t, 31)
	for _, c := range []struct {
		sequences, out, run int
		last                bool
	}{
		{1, 5, 19, false}, // 19 planes, then 2
		{2, 5, planes, false},
		{1, 1, 0, true},
		{3, 1, 0, true},
	} {
		volume := s.Randn(torch.CPU(), int64(c.sequences), in, planes, height, width)
		weight := s.Randn(torch.CPU(), int64(c.out), in, 3, 3, 3)
		bias := s.Randn(torch.CPU(), int64(c.out))
		want := s.Tensor("aten::conv3d", volume, weight, bias, []int64{1, 1, 1}, []int64{1, 1, 1})

		x := s.ChannelsLast(s.Reshape(s.Tensor("aten::permute", volume, []int64{0, 2, 1, 3, 4}), -1, in, height, width))
		flat := s.ChannelsLast(s.Tensor("aten::flatten.using_ints", s.Tensor("aten::permute", weight, []int64{0, 2, 1, 3, 4}), 1, 2))
		if !c.last {
			require.Equal(t, c.run, planesAtOnce(s.Shape(x), planes))
		}
		p := New(Spec{Steps: 1, Inputs: []string{"volume"}, Planes: planes})
		weightAt, biasAt := p.Constant("weight", flat), p.Constant("bias", bias)
		p.Add(Conv{X: Input(0), Weight: weightAt, Bias: biasAt, Stride: 1, Pad: 1, Planes: planes, Whole: true, Last: c.last})
		have := p.Run(s, x)
		have = s.Tensor("aten::permute", s.Reshape(have, int64(c.sequences), planes, int64(c.out), height, width), []int64{0, 2, 1, 3, 4})
		require.Equal(t, s.Shape(want), s.Shape(have))
		assert.InDeltaSlice(t, read(t, want), read(t, have), 1e-3)
		require.NoError(t, p.Close())
	}
}
