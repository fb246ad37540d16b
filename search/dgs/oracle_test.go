package dgs

import (
	"math"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// oracle is a fully connected spiking network with a squared error, and Algorithm 1
// on it: loops over float64 that share nothing with the package.
//
// Time is outermost in every list: x[t][n][i].
type oracle struct {
	tau, vth   float64
	steps, n   int
	layers     []*dense // spiking; all are searched
	readout    *dense
	x          [][][]float64
	target     [][]float64 // [n][k]
	rate, clip float64
	count      int // of candidates
	delta      float64
	sums       [][]float64
	alphas     [][]float64
	clipped    int // gradients so far
}

type dense struct {
	w     [][]float64 // [out][in]
	bias  []float64
	b     float64       // temperature
	mixed []*dense      // candidates' weights while mixed
	share []float64     // of them
	in    [][][]float64 // of the last forward pass
	u     [][][]float64
	dI    [][][]float64 // of the last backward pass
}

func (d *dense) current(x []float64) []float64 {
	if d.mixed != nil {
		sum := make([]float64, len(d.bias))
		for i, m := range d.mixed {
			for o, v := range m.current(x) {
				sum[o] += d.share[i] * v
			}
		}
		return sum
	}
	y := make([]float64, len(d.bias))
	for o := range y {
		y[o] = d.bias[o]
		for i, v := range x {
			y[o] += d.w[o][i] * v
		}
	}
	return y
}

// back is the gradient for the input of current.
func (d *dense) back(g []float64, in int) []float64 {
	dx := make([]float64, in)
	if d.mixed != nil {
		for i, m := range d.mixed {
			for k, v := range m.back(g, in) {
				dx[k] += d.share[i] * v
			}
		}
		return dx
	}
	for o, v := range g {
		for i := range dx {
			dx[i] += d.w[o][i] * v
		}
	}
	return dx
}

func grid(t, n, k int) [][][]float64 {
	g := make([][][]float64, t)
	for a := range g {
		g[a] = make([][]float64, n)
		for b := range g[a] {
			g[a][b] = make([]float64, k)
		}
	}
	return g
}

// forward and backward leave u, in and dI in the layers and return the loss.
func (o *oracle) pass() float64 {
	x := o.x
	for _, l := range o.layers {
		l.in = x
		l.u = grid(o.steps, o.n, len(l.bias))
		y := grid(o.steps, o.n, len(l.bias))
		for n := range o.n {
			for t := range o.steps {
				for k, i := range l.current(x[t][n]) {
					u := i
					if t > 0 {
						u += o.tau * l.u[t-1][n][k] * (1 - y[t-1][n][k])
					}
					l.u[t][n][k] = u
					if u > o.vth {
						y[t][n][k] = 1
					}
				}
			}
		}
		x = y
	}
	loss, outputs := 0.0, len(o.readout.bias)
	e := grid(o.steps, o.n, len(o.readout.w[0])) // at the spikes of the last layer
	for n := range o.n {
		out := make([]float64, outputs)
		for t := range o.steps {
			for k, v := range o.readout.current(x[t][n]) {
				out[k] += v / float64(o.steps)
			}
		}
		g := make([]float64, outputs)
		for k := range out {
			d := out[k] - o.target[n][k]
			loss += d * d / float64(o.n*outputs)
			g[k] = 2 * d / float64(o.n*outputs) / float64(o.steps)
		}
		for t := range o.steps {
			e[t][n] = o.readout.back(g, len(e[t][n]))
		}
	}
	for at := len(o.layers) - 1; at >= 0; at-- {
		l := o.layers[at]
		l.dI = grid(o.steps, o.n, len(l.bias))
		below := grid(o.steps, o.n, len(l.in[0][0]))
		for n := range o.n {
			for t := o.steps - 1; t >= 0; t-- {
				for k := range l.bias {
					u := l.u[t][n][k]
					toU, toY := 0.0, e[t][n][k]
					if t+1 < o.steps {
						if u <= o.vth {
							toU = o.tau * l.dI[t+1][n][k]
						}
						toY -= o.tau * u * l.dI[t+1][n][k]
					}
					l.dI[t][n][k] = toU + toY*slope(u-o.vth, l.b)
				}
				below[t][n] = l.back(l.dI[t][n], len(below[t][n]))
			}
		}
		e = below
	}
	return loss
}

// slope is Dspike's derivative at distance x from the threshold.
func slope(x, b float64) float64 {
	if math.Abs(x) >= 0.5 {
		return 0
	}
	h := math.Tanh(b * x)
	return b / 2 * (1 - h*h) / math.Tanh(b/2)
}

// gradient of the loss for the weights of a layer after a pass.
func (o *oracle) gradient(l *dense) *dense {
	g := &dense{bias: make([]float64, len(l.bias))}
	for k := range l.bias {
		g.w = append(g.w, make([]float64, len(l.w[k])))
		for t := range o.steps {
			for n := range o.n {
				g.bias[k] += l.dI[t][n][k]
				for i, v := range l.in[t][n] {
					g.w[k][i] += l.dI[t][n][k] * v
				}
			}
		}
	}
	return g
}

func (d *dense) norm() float64 {
	sum := 0.0
	for k := range d.bias {
		sum += d.bias[k] * d.bias[k]
		for _, v := range d.w[k] {
			sum += v * v
		}
	}
	return math.Sqrt(sum)
}

// candidates of a layer: one clipped step of gradient descent for each.
func (o *oracle) candidates(l *dense) []*dense {
	var list []*dense
	for i := range o.count {
		before := l.b
		l.b = before + float64(i-(o.count-1)/2)*o.delta
		o.pass()
		l.b = before
		g := o.gradient(l)
		factor := 1.0
		if norm := g.norm(); o.clip > 0 && norm > o.clip {
			factor = o.clip / norm
			o.clipped++
		}
		c := &dense{}
		for k := range l.bias {
			c.bias = append(c.bias, l.bias[k]-o.rate*factor*g.bias[k])
			c.w = append(c.w, nil)
			for j := range l.w[k] {
				c.w[k] = append(c.w[k], l.w[k][j]-o.rate*factor*g.w[k][j])
			}
		}
		list = append(list, c)
	}
	return list
}

// iterate is one iteration of Algorithm 1.
func (o *oracle) iterate() {
	var all [][]*dense
	for _, l := range o.layers {
		all = append(all, o.candidates(l))
	}
	for k, l := range o.layers {
		l.mixed = all[k]
		for range o.count {
			l.share = append(l.share, 1/float64(o.count))
		}
	}
	o.pass()
	o.alphas = nil
	for at, l := range o.layers {
		c := make([]float64, o.count) // dL/dp
		mean := 0.0
		for i, m := range l.mixed {
			for t := range o.steps {
				for n := range o.n {
					for k, v := range m.current(l.in[t][n]) {
						c[i] += l.dI[t][n][k] * v
					}
				}
			}
			mean += l.share[i] * c[i]
		}
		alpha, sum := make([]float64, o.count), 0.0
		for i := range alpha {
			g := l.share[i] * (c[i] - mean)
			// Adam's first step: m = (1-0.9) g / (1-0.9), v = (1-0.999) g^2 / (1-0.999).
			alpha[i] = 1e-3 - 0.01*g/(math.Sqrt(g*g)+1e-8)
			sum += math.Exp(alpha[i])
		}
		for i := range alpha {
			o.sums[at][i] += math.Exp(alpha[i]) / sum
		}
		o.alphas = append(o.alphas, alpha)
	}
	for _, l := range o.layers {
		l.mixed, l.share = nil, nil
	}
}

// newOracle draws a network of the given widths, the first that of the input.
func newOracle(seed int64, tau float64, steps int, widths ...int) *oracle {
	rng := rand.New(rand.NewSource(seed))
	o := &oracle{tau: tau, vth: 0.5, steps: steps, n: 6, rate: 0.5, count: 5, delta: 0.2}
	for i := range widths[1:] {
		d := &dense{b: 2.5 + float64(i)}
		for range widths[i+1] {
			d.bias = append(d.bias, float64(float32(0.2+0.1*rng.NormFloat64())))
			var row []float64
			for range widths[i] {
				row = append(row, float64(float32(rng.NormFloat64()/math.Sqrt(float64(widths[i])))))
			}
			d.w = append(d.w, row)
		}
		o.layers = append(o.layers, d)
	}
	o.readout, o.layers = o.layers[len(o.layers)-1], o.layers[:len(o.layers)-1]
	o.sums = make([][]float64, len(o.layers))
	for i := range o.sums {
		o.sums[i] = make([]float64, o.count)
	}
	o.draw(rng)
	return o
}

// draw makes a batch.
func (o *oracle) draw(rng *rand.Rand) {
	in, out := len(o.layers[0].w[0]), len(o.readout.bias)
	o.x, o.target = grid(o.steps, o.n, in), grid(1, o.n, out)[0]
	for t := range o.steps {
		for n := range o.n {
			for i := range in {
				o.x[t][n][i] = float64(float32(rng.NormFloat64()))
			}
		}
	}
	for n := range o.n {
		for k := range out {
			o.target[n][k] = float64(float32(rng.NormFloat64()))
		}
	}
}

// network is the same network in tensors.
type network struct {
	variables *torch.Variables
	layers    []*Layer
	readout   []torch.Tensor
	steps     int
}

func linear(s *torch.Scope, w []Tensor, inputs ...Tensor) Tensor {
	return s.Tensor("aten::linear", inputs[0], w[0], w[1])
}

// tensors builds the network of an oracle.
func (o *oracle) tensors(t *testing.T) *network {
	t.Helper()
	net := &network{variables: torch.NewVariables(torch.CPU()), steps: o.steps}
	t.Cleanup(func() { require.NoError(t, net.variables.Close()) })
	parameters := func(d *dense, name string) []Tensor {
		p := net.variables.Root().Sub(name)
		var flat []float64
		for _, row := range d.w {
			flat = append(flat, row...)
		}
		out, in := int64(len(d.bias)), int64(len(d.w[0]))
		shaped := func(values ...float64) torch.Init { // Values of any shape
			return func(s *torch.Scope, device torch.Device, shape []int64) Tensor {
				n := int64(len(values))
				return s.Reshape(torch.Values(values...)(s, device, []int64{n}), shape...)
			}
		}
		return []Tensor{p.Parameter("weight", shaped(flat...), out, in), p.Parameter("bias", shaped(d.bias...), out)}
	}
	for i, d := range o.layers {
		name := string(rune('a' + i))
		w := parameters(d, name)
		neurons := spike.NewNeurons(net.variables.Root().Sub(name).Sub("neurons"), spike.LIF{Tau: o.tau, Threshold: o.vth}, d.b)
		net.layers = append(net.layers, NewLayer(name, neurons, o.steps, w, linear))
	}
	net.readout = parameters(o.readout, "readout")
	require.NoError(t, net.variables.Err())
	return net
}

// loss of the oracle's present batch.
func (net *network) loss(o *oracle) Loss {
	flat := func(list ...[][]float64) (values []float32) {
		for _, rows := range list {
			for _, row := range rows {
				for _, v := range row {
					values = append(values, float32(v))
				}
			}
		}
		return values
	}
	x, target := flat(o.x...), flat(o.target)
	n, in := int64(o.n), int64(len(o.x[0][0]))
	return func(s *torch.Scope) Tensor {
		y := torch.FromSlice(s, x, n*int64(o.steps), in)
		for _, l := range net.layers {
			y = l.Forward(s, y)
		}
		y = linear(s, net.readout, y)
		out := s.MeanOver(s.Reshape(y, int64(o.steps), n, -1), 0)
		d := s.Sub(out, torch.FromSlice(s, target, n, int64(len(target))/n))
		return s.Mean(s.Mul(d, d))
	}
}
