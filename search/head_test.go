package search

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
)

// The heads, computed by loops over numbers.
func TestHeadByHand(t *testing.T) {
	const steps, batch, channels, height, width = 3, 4, 5, 3, 2
	for _, kind := range []Head{HeadLIF, HeadRate} {
		for _, mode := range []torch.Mode{torch.Train, torch.Evaluate} {
			s := begin(t, 8)
			o := tinyOptions(0)
			o.Head = kind
			v := torch.NewVariables(torch.CPU())
			h := newHead(v.Root(), channels, &o)
			require.NoError(t, v.Err())
			unsettle(t, s, v)
			x := spikesLike(t, s, steps*batch, channels, height, width)
			spikes, weight, bias := read(t, x), read(t, h.linear.Weight), read(t, h.linear.Bias)
			gamma, beta := read(t, h.norm.Weight), read(t, h.norm.Bias)
			mean, variance := float64s(read(t, h.norm.Mean)), float64s(read(t, h.norm.Variance))

			values := make([][]float64, steps*batch) // after the linear layer
			v0 := map[[2]int]float64{}               // membranes
			for row := range values {
				features := make([]float64, channels)
				for c := range channels {
					for k := range height * width {
						features[c] += float64(spikes[(row*channels+c)*height*width+k]) / (height * width)
					}
					if kind == HeadLIF {
						at := [2]int{row % batch, c}
						u := o.Neuron.Tau*v0[at] + features[c]
						features[c] = 0
						if v0[at] = u; u > o.Neuron.Threshold {
							features[c], v0[at] = 1, 0
						}
					}
				}
				values[row] = make([]float64, o.Classes)
				for k := range o.Classes {
					values[row][k] = float64(bias[k])
					for c := range channels {
						values[row][k] += float64(weight[k*channels+c]) * features[c]
					}
				}
			}
			if mode == torch.Train {
				mean, variance = moments(values)
			}
			want := make([]float32, batch*o.Classes)
			for row := range values {
				for k, z := range values[row] {
					z = (z-mean[k])/math.Sqrt(variance[k]+1e-5)*float64(gamma[k]) + float64(beta[k])
					want[row%batch*o.Classes+k] += float32(z / steps)
				}
			}
			have := h.forward(Pass{Scope: s, Mode: mode}, x)
			require.NoError(t, s.Err())
			requireClose(t, torch.FromSlice(s, want, batch, int64(o.Classes)), have, string(kind))
			require.NoError(t, v.Close())
		}
	}
}

func float64s(list []float32) []float64 {
	wide := make([]float64, len(list))
	for i, x := range list {
		wide[i] = float64(x)
	}
	return wide
}

// moments are mean and variance of the columns.
func moments(rows [][]float64) (mean, variance []float64) {
	mean, variance = make([]float64, len(rows[0])), make([]float64, len(rows[0]))
	for k := range mean {
		for _, row := range rows {
			mean[k] += row[k] / float64(len(rows))
		}
		for _, row := range rows {
			variance[k] += (row[k] - mean[k]) * (row[k] - mean[k]) / float64(len(rows))
		}
	}
	return mean, variance
}

// window is the range of rows or columns that a cell of the 2x2 grid averages.
type window struct{ from, to int }

// The auxiliary classifier pools 8x8 by two overlapping windows of five, and
// other grids by two adaptive ones; what follows is convolutions 1x1 and 2x2.
func TestAuxiliaryByHand(t *testing.T) {
	for size, windows := range map[int][2]window{
		8: {{0, 5}, {3, 8}}, 7: {{0, 4}, {3, 7}}, 4: {{0, 2}, {2, 4}}, 1: {{0, 1}, {0, 1}},
	} {
		for _, mode := range []torch.Mode{torch.Train, torch.Evaluate} {
			const rows, channels = 3 * 4, 6
			s := begin(t, 12)
			o := tinyOptions(0)
			v := torch.NewVariables(torch.CPU())
			a := newAuxiliary(v.Root(), 0, channels, &o)
			require.NoError(t, v.Err())
			unsettle(t, s, v)
			x := spikesLike(t, s, rows, channels, int64(size), int64(size))
			spikes, pooled := read(t, x), make([]float32, rows*channels*4)
			for plane := range rows * channels {
				for cell := range 4 {
					down, right := windows[cell/2], windows[cell%2]
					n, sum := 0, float32(0)
					for y := down.from; y < down.to; y++ {
						for z := right.from; z < right.to; z++ {
							sum += spikes[(plane*size+y)*size+z]
							n++
						}
					}
					pooled[plane*4+cell] = sum / float32(n)
				}
			}
			b := s.Full(torch.CPU(), 3)
			fire := func(y torch.Tensor) torch.Tensor { return o.Neuron.FireComposed(s, y, b, 3) }
			norm := func(y torch.Tensor, n norm) torch.Tensor {
				return s.Tensor("aten::batch_norm", y, n.Weight, n.Bias, s.Clone(n.Mean), s.Clone(n.Variance), bool(mode), 0.1, 1e-5, false)
			}
			y := fire(torch.FromSlice(s, pooled, rows, channels, 2, 2))
			requireSomeSpikes(t, y)
			require.Equal(t, []int64{128, channels, 1, 1}, s.Shape(a.convs[0].Weight))
			require.Equal(t, []int64{768, 128, 2, 2}, s.Shape(a.convs[1].Weight))
			for i, conv := range a.convs {
				y = fire(norm(s.Tensor("aten::conv2d", y, conv.Weight, conv.Bias), a.norms[i]))
			}
			require.Equal(t, []int64{rows, 768, 1, 1}, s.Shape(y))
			y = norm(s.Tensor("aten::linear", s.Reshape(y, rows, 768), a.linear.Weight, a.linear.Bias), a.norms[2])
			steps := s.Split(y, 0, 4)
			want := s.Scale(s.Add(s.Add(steps[0], steps[1]), steps[2]), 1.0/3)
			have := a.forward(Pass{Scope: s, Mode: mode}, x)
			require.NoError(t, s.Err())
			requireClose(t, want, have, "auxiliary logits")
			require.NoError(t, v.Close())
		}
	}
}
