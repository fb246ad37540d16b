package spike

import (
	"fmt"
	"math"
	"math/rand"
	"testing"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/torchtest"
	"github.com/stretchr/testify/require"
)

func toFloat32(x float64) float64 { return float64(float32(x)) }
func toFloat64(x float64) float64 { return x }

// toBFloat16 rounds to 8 bits of mantissa, ties to even.
func toBFloat16(x float64) float64 {
	bits := math.Float32bits(float32(x))
	bits += 0x7fff + bits>>16&1
	return float64(math.Float32frombits(bits &^ 0xffff))
}

// problem is a LIF layer with its input, and what the definition gives for it:
// loops over float64 that share nothing with the kernels.
type problem struct {
	lif          LIF
	steps        int
	shape        []int64 // [steps*N, C, ...]
	temperatures []float64
	current      []float64 // in C order
	weight       []float64 // dL/dy
	start        []float64 // membrane before the first step; nil: at rest
	endWeight    []float64 // dL/dv at the end; nil: none

	spikes, potentials    []float64
	end                   []float64
	gradient, startWeight []float64 // dL/dI and dL/dstart
}

func product(shape []int64) int {
	n := 1
	for _, size := range shape {
		n *= int(size)
	}
	return n
}

// neurons is the number of membranes.
func (p *problem) neurons() int { return product(p.shape) / p.steps }

// temperature is b of neuron i.
func (p *problem) temperature(i int) float64 {
	if len(p.temperatures) == 1 {
		return p.temperatures[0]
	}
	plane := product(p.shape[2:])
	return p.temperatures[i/plane%int(p.shape[1])]
}

// margin keeps membranes away from the values of u where the spike or the
// surrogate jumps, and where rounding would therefore decide.
const margin = 1e-5

func (p *problem) safe(u, b float64) bool {
	x := math.Abs(u - p.lif.Threshold)
	jump := 0.5
	switch {
	case p.lif.Surrogate == Rectangular:
		jump = 0.5 / b
	case registered(p.lif.Surrogate) != nil:
		jump = tableReach / b
	}
	return x > margin && math.Abs(x-jump) > margin
}

// newProblem draws currents; one that brings a membrane too close to a jump is
// drawn again. round gives what the tensors' type holds.
func newProblem(rng *rand.Rand, lif LIF, steps int, shape []int64, temperatures []float64, state bool, round func(float64) float64) *problem {
	p := &problem{lif: lif, steps: steps, shape: shape, temperatures: temperatures}
	n := p.neurons()
	draw := func(count int) []float64 {
		values := make([]float64, count)
		for i := range values {
			values[i] = round(rng.NormFloat64())
		}
		return values
	}
	p.current, p.weight = draw(steps*n), draw(steps*n)
	if state {
		p.start, p.endWeight = draw(n), draw(n)
	}
	p.spikes, p.potentials = make([]float64, steps*n), make([]float64, steps*n)
	p.end = make([]float64, n)
	copy(p.end, p.start)
	for t := range steps {
		for i := range n {
			k := t*n + i
			u := lif.Tau*p.end[i] + p.current[k]
			for !p.safe(u, p.temperature(i)) {
				p.current[k] = round(rng.NormFloat64())
				u = lif.Tau*p.end[i] + p.current[k]
			}
			p.potentials[k] = u
			p.end[i] = u
			if u > lif.Threshold {
				p.spikes[k] = 1
				p.end[i] = 0
			}
		}
	}
	p.differentiate()
	return p
}

// differentiate is the chain rule on eq. 1, written for u and y (the kernels
// are written for v = u (1 - y)): u_t = tau u_{t-1} (1 - y_{t-1}) + I_t hands
// tau (1 - y_{t-1}) g_t to u_{t-1} and -tau u_{t-1} g_t to y_{t-1}.
func (p *problem) differentiate() {
	n := p.neurons()
	p.gradient = make([]float64, p.steps*n)
	p.startWeight = make([]float64, n)
	for i := range n {
		d := func(u float64) float64 {
			return p.lif.Surrogate.Derivative(u-p.lif.Threshold, p.temperature(i))
		}
		after := 0.0 // g_{t+1}
		for t := p.steps - 1; t >= 0; t-- {
			u, y := p.potentials[t*n+i], p.spikes[t*n+i]
			toU, toY := p.lif.Tau*(1-y)*after, p.weight[t*n+i]-p.lif.Tau*u*after
			if t == p.steps-1 && p.endWeight != nil {
				toU += (1 - y) * p.endWeight[i]
				toY -= u * p.endWeight[i]
			}
			after = toU + toY*d(u)
			p.gradient[t*n+i] = after
		}
		p.startWeight[i] = p.lif.Tau * after
	}
}

func (p *problem) String() string {
	return fmt.Sprintf("%v T=%d %v tau=%v Vth=%v b=%v", p.lif.Surrogate, p.steps, p.shape, p.lif.Tau, p.lif.Threshold, p.temperatures)
}

// layouts are the memory orders that a convolution may hand over.
var layouts = map[string]func(*torch.Scope, torch.Tensor) torch.Tensor{
	"contiguous": func(s *torch.Scope, x torch.Tensor) torch.Tensor { return x },
	"channels-last": func(s *torch.Scope, x torch.Tensor) torch.Tensor {
		switch len(s.Shape(x)) {
		case 4:
			return s.ChannelsLast(x)
		case 5:
			const channelsLast3d = 3
			return s.Tensor("aten::contiguous", x, torch.Named{Name: "memory_format", Value: channelsLast3d})
		}
		return x
	},
	// Every second element of a wider tensor.
	"strided": func(s *torch.Scope, x torch.Tensor) torch.Tensor {
		last := len(s.Shape(x)) - 1
		wide := s.Tensor("aten::repeat_interleave.self_int", x, 2, last)
		return s.Tensor("aten::slice.Tensor", wide, last, nil, nil, 2)
	},
}

func tensor(s *torch.Scope, values []float64, dtype int8, shape ...int64) torch.Tensor {
	return s.Cast(torch.FromSlice(s, values, shape...), dtype)
}

// stepShape is the shape of one step.
func (p *problem) stepShape() []int64 {
	return append([]int64{p.shape[0] / int64(p.steps)}, p.shape[1:]...)
}

var assertLive, read = torchtest.Live, torchtest.Read[float64]

func requireClose(t *testing.T, want, have []float64, tolerance float64, what string) {
	t.Helper()
	require.Len(t, have, len(want), what)
	for i, w := range want {
		if math.Abs(have[i]-w) > tolerance*(1+math.Abs(w)) || math.IsNaN(have[i]) {
			t.Fatalf("%s: element %d: got %.9g, want %.9g", what, i, have[i], w)
		}
	}
}
