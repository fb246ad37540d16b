package search

import (
	"fmt"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
)

// Neurons that add for themselves give what a list of sums, neurons and
// concatenations gives.
func TestHalfFormEqualsItsList(t *testing.T) {
	needKernels(t, "cell")
	fired := 0.0
	for i, v := range variants(t) {
		t.Run(v.String(), func(t *testing.T) {
			s := begin(t, uint64(910+i))
			n := v.trained(t, s)
			p, list := v.program(t, n), v.program(t, n)
			list.CellNodes = false
			x := v.images(s, 4)
			var logits [2][]float32
			var counts [2]*graph.Activity
			for k, p := range []*graph.Program{p, list} {
				// Multiples of 1/16, so that sums of spikes are exact in bfloat16, too, and
				// twice as large, so that neurons still fire.
				coarsenTo(s, p, 32, 1.0/16)
				p.CountSpikes()
				logits[k] = read(t, runHalf(p, s, x))
				var err error
				counts[k], err = p.Activity()
				require.NoError(t, err)
				p.StopCounting()
			}
			assert.Equal(t, logits[1], logits[0])
			assert.Equal(t, counts[1], counts[0], "spikes counted")
			fired += counts[0].FiringRate

			before := torch.LiveTensors()
			c := s.Child()
			runHalf(p, c, x)
			require.NoError(t, c.Close())
			assert.Equal(t, before, torch.LiveTensors())
		})
	}
	assert.Positive(t, fired)
}

// runHalf runs a program with convolutions in bfloat16.
func runHalf(p *graph.Program, s *torch.Scope, x torch.Tensor) torch.Tensor {
	return p.Runner(torch.BFloat16)(s, x)
}

// A failure in the middle of a run is told and leaves no tensor.
func TestHalfFormFailsCleanly(t *testing.T) {
	s := begin(t, 900)
	v := variants(t)[0]
	p := v.program(t, v.trained(t, s))
	c := torch.NewInference()
	runHalf(p, c, s.Zeros(torch.CPU(), 2, 7, 8, 8))
	assert.Error(t, c.Err(), "seven channels")
	_ = c.Close()
}

// The operator against its definition in float64: currents are multiples of 1/8 and
// tau is 1/4, so that every membrane is exact.
func TestCellNode(t *testing.T) {
	needKernels(t, "cell")
	const steps, batch, height, width = 3, 2, 3, 5
	const tau, threshold = 0.25, 0.5
	rng := rand.New(rand.NewSource(1))
	for _, dtype := range []int8{torch.Float32, torch.BFloat16} {
		for _, channels := range []int{1, 5, 16, 50} {
			for _, parts := range []int{1, 2, 4} {
				t.Run(fmt.Sprintf("type %d, %d channels, %d parts", dtype, channels, parts), func(t *testing.T) {
					s := begin(t, 1)
					var tensors []torch.Tensor
					var starts []int64
					current := make([]float64, steps*batch*channels*height*width)
					for range parts {
						start, whole := rng.Intn(3), channels+rng.Intn(3)+2
						data := make([]float32, steps*batch*whole*height*width)
						for i := range data {
							data[i] = float32(rng.Intn(17)-6) / 8
							row, pixel := i/(height*width), i%(height*width)
							if c := row%whole - start; c >= 0 && c < channels {
								current[((row/whole)*channels+c)*height*width+pixel] += float64(data[i])
							}
						}
						x := torch.FromSlice(s, data, steps*batch, int64(whole), height, width)
						tensors = append(tensors, s.ChannelsLast(s.Cast(x, dtype)))
						starts = append(starts, int64(start))
					}
					want := make([]float32, len(current))
					frame := batch * channels * height * width
					for i := range frame {
						var v float64
						for step := range steps {
							u := tau*v + current[step*frame+i]
							v = u
							if u > threshold {
								want[step*frame+i], v = 1, 0
							}
						}
					}
					results := s.Call("spikedhs::cell_node", tensors, starts, channels, tau, threshold, steps, nil, 0, 0)
					require.NoError(t, s.Err())
					spikes := results[0].(torch.Tensor)
					assert.Equal(t, want, read(t, s.Cast(spikes, torch.Float32)))
					assert.Contains(t, want, float32(1))
					assert.Contains(t, want, float32(0))

					// The same, twice into one tensor.
					results = s.Call("spikedhs::cell_node", tensors, starts, channels, tau, threshold, steps, nil, 2*channels+1, 1)
					require.NoError(t, s.Err())
					joined := results[1].(torch.Tensor)
					s.Call("spikedhs::cell_node", tensors, starts, channels, tau, threshold, steps, joined, 2*channels+1, channels+1)
					for _, at := range []int{1, channels + 1} {
						assert.Equal(t, want, read(t, s.Cast(s.Narrow(joined, 1, at, channels), torch.Float32)))
					}
					require.NoError(t, s.Err())
				})
			}
		}
	}
}

func TestCellNodeRefusesShapes(t *testing.T) {
	needKernels(t, "cell")
	s := begin(t, 1)
	x, small := s.Zeros(torch.CPU(), 4, 6, 3, 3), s.Zeros(torch.CPU(), 4, 6, 2, 3)
	for name, args := range map[string][]any{
		"no part":         {[]torch.Tensor{}, []int64{}, 2, 0.2, 0.5, 2, nil, 0, 0},
		"a start missing": {[]torch.Tensor{x, x}, []int64{0}, 2, 0.2, 0.5, 2, nil, 0, 0},
		"too far":         {[]torch.Tensor{x}, []int64{5}, 2, 0.2, 0.5, 2, nil, 0, 0},
		"steps":           {[]torch.Tensor{x}, []int64{0}, 2, 0.2, 0.5, 3, nil, 0, 0},
		"another grid":    {[]torch.Tensor{x, small}, []int64{0, 0}, 2, 0.2, 0.5, 2, nil, 0, 0},
		"joined too far":  {[]torch.Tensor{x}, []int64{0}, 2, 0.2, 0.5, 2, nil, 6, 5},
		"joined grid":     {[]torch.Tensor{x}, []int64{0}, 2, 0.2, 0.5, 2, small, 6, 0},
	} {
		c := torch.NewInference()
		c.Call("spikedhs::cell_node", args...)
		assert.ErrorContains(t, c.Err(), "cell_node", name)
		_ = c.Close()
	}
}
