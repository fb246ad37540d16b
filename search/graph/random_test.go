package graph

import (
	"fmt"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// drawn is a random small network: a stem, nodes that sum convolutions and identities of
// what was there before, wide convolutions that several nodes take parts of,
// concatenations and halvings, and a classifier. Weights are multiples of 1/32, so that
// sums are exact in whatever order.
type drawn struct {
	*Program
	rng      *rand.Rand
	channels map[Value]int
	levels   map[Value]int
}

func draw(t *testing.T, seed int64) *Program {
	d := &drawn{
		Program: New(Spec{Steps: 3, Neuron: spike.LIF{Tau: 0.25, Threshold: 0.5}, Inputs: []string{"images"}, CellNodes: true}),
		rng:     rand.New(rand.NewSource(seed)), channels: map[Value]int{}, levels: map[Value]int{},
	}
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	const width = 4
	mean, deviation := d.tensor("mean", 1, 1, 2, 1, 1), d.Constant("deviation", d.Scope().Full(torch.CPU(), 0.5, 1, 2, 1, 1))
	x := d.Add(Prepare{X: Input(0), Pad: 1, Mean: mean, Deviation: deviation})
	x = d.conv(x, "stem", 2, width, 3, true)
	spikes := []Value{d.at(d.Fire("stem", d.Add(Repeat{X: x})), width, 0)}
	for i := range 6 + d.rng.Intn(4) {
		from := spikes[d.rng.Intn(len(spikes))]
		level := d.levels[from]
		switch d.rng.Intn(4) {
		case 0:
			spikes = append(spikes, d.at(d.Add(Halve{X: from, Times: 1}), d.channels[from], level+1))
		case 1: // two nodes that share a convolution, side by side
			wide := d.conv(from, fmt.Sprint("wide", i), d.channels[from], 2*width, 3, false)
			var nodes []Value
			for k := range 2 {
				parts := []Part{{X: wide, Start: k * width, Length: width}}
				for range d.rng.Intn(3) {
					parts = append(parts, d.edge(spikes, level, width, fmt.Sprint("extra", i, k, len(parts))))
				}
				nodes = append(nodes, d.Fire(fmt.Sprint("node", i, k), d.Add(Sum{parts})))
			}
			spikes = append(spikes, d.at(d.Add(Concat{nodes}), 2*width, level))
		default:
			parts := []Part{}
			for range 1 + d.rng.Intn(3) {
				parts = append(parts, d.edge(spikes, level, width, fmt.Sprint("edge", i, len(parts))))
			}
			spikes = append(spikes, d.at(d.Fire(fmt.Sprint("node", i), d.Add(Sum{parts})), width, level))
		}
	}
	// What nobody reads yet goes to the classifier, all of it at the coarsest level.
	var ends []Value
	deepest, channels := 0, 0
	for _, v := range spikes {
		deepest = max(deepest, d.levels[v])
	}
	for i, v := range spikes {
		if i == len(spikes)-1 || d.last[v] == int(v) {
			channels += d.channels[v]
			if times := deepest - d.levels[v]; times > 0 {
				v = d.Add(Halve{X: v, Times: times})
			}
			ends = append(ends, v)
		}
	}
	x = d.Add(Pool{X: d.Add(Concat{ends})})
	d.Add(Classify{X: x, Weight: d.tensor("head.weight", 16, 3, int64(channels)), Bias: d.tensor("head.bias", 16, 3), Classes: 3})
	require.NoError(t, d.Scope().Err())
	return d.Program
}

func (d *drawn) at(v Value, channels, level int) Value {
	d.channels[v], d.levels[v] = channels, level
	return v
}

// edge is a convolution of one of the values at a level, or now and then the value itself.
func (d *drawn) edge(spikes []Value, level, width int, name string) Part {
	var here []Value
	for _, v := range spikes {
		if d.levels[v] == level {
			here = append(here, v)
		}
	}
	from := here[d.rng.Intn(len(here))]
	if d.channels[from] == width && d.rng.Intn(4) == 0 {
		return Part{X: from}
	}
	return Part{X: d.conv(from, name, d.channels[from], width, 1+2*d.rng.Intn(2), false)}
}

func (d *drawn) conv(x Value, name string, in, out, kernel int, whole bool) Value {
	return d.Add(Conv{
		X: x, Weight: d.tensor(name+".weight", 8, int64(out), int64(in), int64(kernel), int64(kernel)),
		Bias: d.tensor(name+".bias", 8, int64(out)), Stride: 1, Pad: int64(kernel / 2), Whole: whole,
	})
}

// tensor draws multiples of 1/32 around 0.
func (d *drawn) tensor(name string, spread int, shape ...int64) int {
	n := int64(1)
	for _, size := range shape {
		n *= size
	}
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(d.rng.Intn(2*spread+1)-spread) / 32
	}
	return d.Constant(name, torch.FromSlice(d.Scope(), values, shape...))
}

// images are multiples of 1/16, so that normalised ones are exact too.
func images(s *torch.Scope, rng *rand.Rand, n int64) torch.Tensor {
	values := make([]float32, n*2*9*8)
	for i := range values {
		values[i] = float32(rng.Intn(17)) / 16
	}
	return torch.FromSlice(s, values, n, 2, 9, 8)
}

// Every form of a random network gives its logits and its spikes: the event-driven one,
// convolutions in 16 bits with the nodes of cells as operators and without, and the
// program that its description makes.
func TestFormsOfRandomNetworks(t *testing.T) {
	sums, joins, fired := 0, 0, 0.0
	for seed := range int64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := begin(t, uint64(seed))
			p := draw(t, seed)
			x := images(s, rand.New(rand.NewSource(seed)), 3)
			want, err := p.Measure(x)
			require.NoError(t, err)
			logits := read(t, p.Run(s, x))
			fired += want.FiringRate
			require.True(t, want.Binary)

			require.Equal(t, torch.CPUKernels("events"), p.EventDriven())
			p.CountSpikes()
			// Rates over space round otherwise where they are counts.
			assert.InDeltaSlice(t, logits, read(t, p.RunFast(s, x)), 2e-6)
			have, err := p.Activity()
			require.NoError(t, err)
			have.Checked = want.Checked
			assert.Equal(t, want, have, "counted in bits")
			p.StopCounting()

			text, err := p.Description()
			require.NoError(t, err)
			q, err := Load(text, func(s *torch.Scope, name string) torch.Tensor {
				for _, c := range p.Constants() {
					if c.Name == name {
						return s.Detach(c.Value)
					}
				}
				return torch.Tensor{}
			})
			require.NoError(t, err)
			defer func() { require.NoError(t, q.Close()) }()
			assert.Equal(t, p.Nodes(), q.Nodes())
			assert.Equal(t, logits, read(t, q.Run(s, x)))

			short := read(t, p.Runner(torch.BFloat16)(s, x))
			h := p.inShort(&p.list, torch.BFloat16)
			sums, joins = sums+len(h.sums), joins+len(h.joins)
			q.CellNodes = false
			assert.Equal(t, read(t, q.Runner(torch.BFloat16)(s, x)), short)
		})
	}
	assert.Positive(t, fired)
	if torch.CPUKernels("cell") {
		assert.Positive(t, sums)
		assert.Positive(t, joins)
	}
}

// A watcher sees every value, and a stream that is cut into steps gives the spikes of the
// window.
func TestStepsOfRandomNetworks(t *testing.T) {
	for seed := range int64(10) {
		s := begin(t, uint64(seed))
		p := draw(t, seed)
		x := images(s, rand.New(rand.NewSource(seed)), 2)
		whole, last := map[Value][]float64{}, len(p.nodes)-2
		p.RunWith(s, Settings{Watch: func(c *torch.Scope, v Value, x torch.Tensor) { whole[v] = read(t, x) }}, x)
		require.Len(t, whole, len(p.nodes))
		var state State
		var pooled []float64
		for range p.Steps {
			p.RunWith(s, Settings{Steps: 1, State: &state, Watch: func(c *torch.Scope, v Value, x torch.Tensor) {
				if int(v) == last {
					pooled = append(pooled, read(t, x)...)
				}
			}}, x)
		}
		assert.Equal(t, whole[Value(last)], pooled)
		assert.Len(t, state.Membranes(), len(p.Layers()))
		state.Reset()
	}
}

// Neurons that give something else than spikes are found out.
func TestValuesThatAreNoSpikesAreAnError(t *testing.T) {
	s := begin(t, 32)
	p := draw(t, 1)
	c := newCensus(p)
	for v := range c.values {
		if p.spiking(v) {
			c.dense(s, v, s.Full(torch.CPU(), 0.5, 2, 1, 2, 2))
		}
	}
	c.images = 1
	_, err := c.activity()
	assert.ErrorIs(t, err, ErrNotBinary)
}
