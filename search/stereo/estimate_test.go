package stereo

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
)

// Costs made by hand, one pixel each.
func TestEstimate(t *testing.T) {
	s := begin(t, 20)
	e := math.E
	low := float32(-100)
	cases := []struct {
		cost []float32
		want float64
	}{
		{[]float32{low, low, low, 0, low, low, low, low}, 6},                     // one sharp peak
		{[]float32{low, low, low, 0, 0, low, low, low}, 7},                       // between two bins
		{[]float32{0, 0, 0, 0, 0, 0, 0, 0}, 2},                                   // a tie: bin 0 with bins 1 and 2
		{[]float32{low, low, 1, 0, low, low, 0.9, low}, (4*e + 6) / (e + 1)},     // the second peak is too far
		{[]float32{low, low, 1, low, 0, low, low, low}, (4*e + 8) / (e + 1)},     // two bins away counts
		{[]float32{low, low, low, low, low, low, 0, 1}, (12 + 14*e) / (1 + e)},   // at the upper end
		{[]float32{0.5, low, 0, 0, low, low, low, low}, 4 / (math.Exp(0.5) + 1)}, // bin 3 is three away
		{[]float32{5, 4, 3, -50, -50, -50, -50, 2}, (2*math.Exp(4) + 4*math.Exp(3)) / (math.Exp(5) + math.Exp(4) + math.Exp(3))},
	}
	flat := make([]float32, 8*len(cases))
	for i, c := range cases {
		for j, v := range c.cost {
			flat[j*len(cases)+i] = v
		}
	}
	have := Estimate(s, torch.FromSlice(s, flat, 1, 8, 1, int64(len(cases))))
	require.Equal(t, []int64{1, 1, int64(len(cases))}, s.Shape(have))
	for i, d := range read(t, have) {
		assert.InDelta(t, cases[i].want, d, 1e-5, i)
	}
}

// The bins lie where geometry wants them: a cost that is linear in the plane is
// linear in the disparity, up to the last plane.
func TestBinWeights(t *testing.T) {
	rows := binWeights(HeadGeometric, 21, 32)
	for j, row := range rows {
		sum, at := 0.0, 0.0
		for i, w := range row {
			assert.GreaterOrEqual(t, w, 0.0)
			sum += w
			at += w * float64(i)
		}
		assert.InDelta(t, 1, sum, 1e-12)
		assert.InDelta(t, min(2*float64(j)/3, 20), at, 1e-12, j)
	}
}

// The trilinear head is libtorch's interpolation; the geometric one shares the
// two dimensions of space with it.
func TestHeadAgainstTrilinear(t *testing.T) {
	s := begin(t, 21)
	for _, kind := range []Head{HeadTrilinear, HeadGeometric} {
		o := Options{Width: 2, MaxDisparity: 63, Head: kind}.WithDefaults()
		v := torch.NewVariables(torch.CPU())
		g := &graph.Graph{}
		g.Result(subnet{g, "matching", v.Root(), 21, &o}.head(graph.Input(1)))
		x := s.Randn(torch.CPU(), 2*21, 6, 8, 10)
		height, width := 22, 27
		have := g.Forward(s, &search.Pass{Scope: s}, 1, s.Zeros(torch.CPU(), 2, 5, int64(height), int64(width)), x)[0]
		last, _ := v.Lookup("last_3.conv.weight")
		volume := s.Tensor("aten::permute", s.Reshape(x, 2, 21, 6, 8, 10), []int64{0, 2, 1, 3, 4})
		scores := s.Tensor("aten::conv3d", volume, last.Value, nil, []int64{1, 1, 1}, []int64{1, 1, 1})
		want := s.Tensor("aten::upsample_trilinear3d", scores, []int64{32, 24, 30}, false)
		want = s.Narrow(s.Narrow(s.Select(want, 1, 0), 2, 2, height), 3, 3, width)
		require.Equal(t, s.Shape(want), s.Shape(have))
		if kind == HeadTrilinear {
			assert.InDeltaSlice(t, read(t, want), read(t, have), 1e-5)
		} else {
			assert.NotEqual(t, read(t, want), read(t, have))
			// Bin 3 is plane 2 exactly, so it is that plane's picture.
			plane := s.Tensor("aten::upsample_bilinear2d", s.Select(scores, 2, 2), []int64{24, 30}, false)
			plane = s.Narrow(s.Narrow(s.Select(plane, 1, 0), 1, 2, height), 2, 3, width)
			assert.InDeltaSlice(t, read(t, plane), read(t, s.Select(have, 1, 3)), 1e-5)
		}
		require.NoError(t, v.Close())
	}
}
