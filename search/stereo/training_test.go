package stereo_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/torch"
	criterion "github.com/spikedhs/spikedhs/train/stereo"
)

// A small network learns the disparity of a scene by heart: random dots whose
// right view is the left one shifted by 6 px in the upper half and by 12 px in the lower.
func TestLearnsByHeart(t *testing.T) {
	const height, width, steps = 36, 66, 2
	require.NoError(t, torch.Seed(1))
	g, err := genotype.Preset(genotype.PresetStereo)
	require.NoError(t, err)
	net, err := stereo.NewNetwork(torch.CPU(), g, stereo.Options{Width: 2, MaxDisparity: 21, Steps: steps})
	require.NoError(t, err)
	defer net.Close()

	data := torch.NewInference()
	defer data.Close()
	wide := data.Tensor("aten::sign", data.Randn(torch.CPU(), steps, 5, height, width+12))
	half := height / 2
	left := data.Narrow(wide, 3, 0, width)
	right := data.Cat([]torch.Tensor{
		data.Narrow(data.Narrow(wide, 2, 0, half), 3, 6, width), data.Narrow(data.Narrow(wide, 2, half, half), 3, 12, width),
	}, 2)
	truth := data.Cat([]torch.Tensor{
		data.Full(torch.CPU(), 6, steps, int64(half), width), data.Full(torch.CPU(), 12, steps, int64(half), width),
	}, 1)
	optimizer, err := torch.NewAdam(torch.CPU(), net.Variables().Parameters(), torch.AdamOptions{Rate: 0.01, Beta1: 0.9, Beta2: 0.999})
	require.NoError(t, err)
	defer optimizer.Close()
	var first, last float64
	for step := range 40 {
		s := torch.NewScope()
		cost := net.Forward(search.Pass{Scope: s, Mode: torch.Train}, left, right)
		loss := criterion.Loss(s, cost, truth, 1)
		s.Backward(loss)
		optimizer.Step(s, s.Gradients(net.Variables().Parameters()))
		last = s.Item(loss)
		if step == 0 {
			first = last
		}
		require.NoError(t, net.Variables().ClearGradients())
		require.NoError(t, s.Close())
	}
	t.Logf("loss from %.3f to %.3f", first, last)
	assert.Less(t, last, first-0.5)
}
