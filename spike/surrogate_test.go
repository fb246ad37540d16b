package spike

import (
	"fmt"
	"math"
	"math/rand"
	"testing"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Two families as a program would bring them: the derivative of a logistic curve,
// which b only scales, and a bell whose height follows b in a way of its own.
var (
	sigmoid  = registerForTest("sigmoid", func(x, b float64) float64 { e := math.Exp(-math.Abs(b * x)); return b * e / ((1 + e) * (1 + e)) })
	gaussian = registerForTest("bell", func(x, b float64) float64 { return b / (1 + b) * math.Exp(-b*b*x*x/2) })
)

func registerForTest(name string, f func(x, b float64) float64) Surrogate {
	s, err := Register(name, f)
	if err != nil {
		panic(err)
	}
	return s
}

// tableError is how far interpolation may be from the function in this file.
const tableError = 5e-5

// tolerance of a gradient against the definition.
func (f Surrogate) tolerance(exact float64) float64 {
	if registered(f) != nil {
		return max(exact, tableError)
	}
	return exact
}

func TestFamiliesAreListedAndParsed(t *testing.T) {
	families := Families()
	assert.Equal(t, []Surrogate{"dspike", "triangular", "superspike", "arctan", "rectangular", "exponential"}, families[:6])
	assert.Subset(t, families[6:], []Surrogate{"go:bell", "go:sigmoid"})
	assert.IsNonDecreasing(t, families[6:])
	for _, f := range families {
		got, err := ParseSurrogate(f.String())
		require.NoError(t, err)
		assert.Equal(t, f, got)
	}
	got, err := ParseSurrogate("")
	require.NoError(t, err)
	assert.Equal(t, DefaultSurrogate, got)
	assert.Equal(t, "dspike", Surrogate("").String())
	_, err = ParseSurrogate("Dspike")
	require.ErrorIs(t, err, ErrSurrogate)
	assert.ErrorContains(t, err, `surrogate "Dspike": want dspike, triangular, superspike, arctan, rectangular, exponential, go:bell, go:sigmoid`)
	assert.True(t, math.IsNaN(Surrogate("nothing").Derivative(0, 1)))
	assert.True(t, math.IsNaN(Surrogate("nothing").Value(0, 1)))
}

// Values worked out by hand from the formulas of the sources.
func TestFamiliesHandValues(t *testing.T) {
	for _, c := range []struct {
		f          Surrogate
		b, x, want float64
	}{
		{"", 3, 0, 1.657187},
		{DefaultSurrogate, 5, 0, 2.533918},
		{DefaultSurrogate, 3, 0.5, 0},
		{Triangular, 2, 0, 2}, {Triangular, 2, 0.25, 1}, {Triangular, 2, -0.25, 1}, {Triangular, 2, 0.5, 0}, {Triangular, 2, -3, 0},
		{SuperSpike, 3, 0, 1}, {SuperSpike, 3, 1.0 / 3, 0.25}, {SuperSpike, 3, -1, 1.0 / 16},
		{ArcTan, 2, 0, 1}, {ArcTan, 2, 1 / math.Pi, 0.5}, {ArcTan, 2, -1 / math.Pi, 0.5},
		{Rectangular, 2, 0, 2}, {Rectangular, 2, 0.2, 2}, {Rectangular, 2, 0.25, 0}, {Rectangular, 2, -0.25, 0},
		{Exponential, 4, 0, 2}, {Exponential, 4, -0.25, 2 / math.E},
		{sigmoid, 4, 0, 1}, {sigmoid, 4, 2, 0},
	} {
		assert.InDelta(t, c.want, c.f.Derivative(c.x, c.b), 5e-7, "%v b=%v x=%v", c.f, c.b, c.x)
	}
}

func TestFamiliesAreSlopesOfTheirValues(t *testing.T) {
	const h = 1e-6
	for _, f := range Families() {
		for _, b := range []float64{0.7, 1, 3, 6} {
			assert.InDelta(t, 0.5, f.Value(0, b), 1e-12)
			for x := -1.9037; x < 2; x += 0.0317 {
				assert.InDelta(t, (f.Value(x+h, b)-f.Value(x-h, b))/(2*h), f.Derivative(x, b), 1e-5, "%v b=%v x=%v", f, b, x)
				assert.InDelta(t, f.Derivative(x, b), f.Derivative(-x, b), 1e-12, "symmetric")
			}
			if f != SuperSpike && f != gaussian {
				far := 1e9
				assert.InDelta(t, 0, f.Value(-far, b), 1e-3, "%v", f)
				assert.InDelta(t, 1, f.Value(far, b), 1e-3, "%v", f)
			}
		}
	}
}

// A larger temperature is steeper in every family: no lower at the threshold, and
// half of that nearer to it. (Rectangular has its width at half the height.)
func TestALargerTemperatureIsSteeper(t *testing.T) {
	halfWidth := func(f Surrogate, b float64) float64 {
		x := 0.0
		for f.Derivative(x, b) > f.Derivative(0, b)/2 {
			x += 1e-4
		}
		return x
	}
	for _, f := range Families() {
		previous, width := 0.0, 100.0
		for b := 1.0; b <= 6; b += 0.5 {
			peak, half := f.Derivative(0, b), halfWidth(f, b)
			assert.GreaterOrEqual(t, peak, previous, "%v b=%v", f, b)
			assert.LessOrEqual(t, half, width, "%v b=%v", f, b)
			assert.False(t, peak == previous && half == width, "%v b=%v", f, b)
			previous, width = peak, half
		}
	}
}

// Every family on the CPU, by elementary operators, and as the CUDA kernels do it.
func TestFamiliesAgainstTheDefinition(t *testing.T) {
	assertLive(t)
	rng := rand.New(rand.NewSource(21))
	shapes := [][]int64{{2, 5}, {1, 3, 7}, {2, 4, 3, 5}, {1, 8, 4, 4}, {1, 3, 2, 3, 4}}
	for _, f := range Families() {
		for steps := 1; steps <= 9; steps++ {
			shape := append([]int64{}, shapes[steps%len(shapes)]...)
			shape[0] *= int64(steps)
			temperatures := []float64{toFloat32(1 + 4*rng.Float64())}
			for steps%2 == 0 && int64(len(temperatures)) < shape[1] {
				temperatures = append(temperatures, toFloat32(1+4*rng.Float64()))
			}
			lif := LIF{Tau: 0.4, Threshold: []float64{0.5, 0.3, 1}[steps%3], Surrogate: f}
			state := steps%3 == 0
			single := newProblem(rng, lif, steps, shape, temperatures, state, toFloat32)
			double := newProblem(rng, lif, steps, shape, temperatures, state, toFloat64)
			half := newProblem(rng, lif, steps, shape, temperatures, state, toBFloat16)
			for layout := range layouts {
				t.Run(fmt.Sprintf("%v %s", single, layout), func(t *testing.T) {
					for _, operator := range operators {
						single.check(t, operator, layout, torch.Float32, f.tolerance(1e-5))
						double.check(t, operator, layout, torch.Float64, f.tolerance(1e-12))
						if !state {
							half.check(t, operator, layout, torch.BFloat16, 1.0/128)
						}
					}
					single.checkKernels(t, emulated(), layout, torch.Float32, f.tolerance(1e-5))
					double.checkKernels(t, emulated(), layout, torch.Float64, f.tolerance(1e-12))
					half.checkKernels(t, emulated(), layout, torch.BFloat16, 1.0/128)
				})
			}
		}
	}
}

// The kernels themselves on a GPU.
func TestFamiliesOnCUDA(t *testing.T) {
	cuda := onCUDA(t)
	rng := rand.New(rand.NewSource(22))
	for _, f := range Families() {
		for _, steps := range []int{1, 4, 6, 9, 20} {
			lif := LIF{Tau: 0.4, Threshold: 0.5, Surrogate: f}
			p := newProblem(rng, lif, steps, []int64{int64(2 * steps), 4, 3, 4}, []float64{1, 2, 3, 4}, false, toFloat32)
			for layout := range layouts {
				p.checkKernels(t, cuda, layout, torch.Float32, f.tolerance(2e-5))
			}
		}
	}
}

// gradientOf is dL/dI by an operator.
func (p *problem) gradientOf(t *testing.T, operator, layout string, dtype int8) []float64 {
	t.Helper()
	s := torch.NewScope()
	defer s.Close()
	current := s.Detach(layouts[layout](s, tensor(s, p.current, dtype, p.shape...)))
	require.NoError(t, torch.RequireGradient(current, true))
	temperature := tensor(s, p.temperatures, torch.Float32, int64(len(p.temperatures)))
	y := s.Tensor(operator, p.lif.arguments(s, current, temperature, p.steps)...)
	grads := s.GradientOf(s.Sum(s.Mul(y, tensor(s, p.weight, dtype, p.shape...))), []torch.Tensor{current})
	require.NoError(t, s.Err())
	return read(t, grads[0])
}

// Fused against composed: what interpolation does to a table is the same in both.
func TestFamiliesFusedAgainstComposed(t *testing.T) {
	rng := rand.New(rand.NewSource(23))
	for _, f := range Families() {
		// Beyond the temperatures of a table as well.
		temperatures := []float64{0.125, 0.5, 1, 2.5, 3, 6, 20}
		lif := LIF{Tau: 0.9, Threshold: 0.5, Surrogate: f}
		p := newProblem(rng, lif, 5, []int64{10, 7, 9, 11}, temperatures, false, toFloat32)
		for layout := range layouts {
			for dtype, tolerance := range map[int8]float64{torch.Float32: 1e-5, torch.Float64: 1e-12} {
				composed := p.gradientOf(t, "spikedhs::lif_composed", layout, dtype)
				requireClose(t, composed, p.gradientOf(t, "spikedhs::lif", layout, dtype), tolerance, f.String()+" "+layout)
			}
		}
	}
}

// Spikes do not depend on the family.
func TestFamiliesFireAlike(t *testing.T) {
	rng := rand.New(rand.NewSource(24))
	p := newProblem(rng, Default(), 3, []int64{6, 4}, []float64{2}, false, toFloat32)
	s := torch.NewInference()
	defer s.Close()
	for _, f := range Families() {
		lif := Default()
		lif.Surrogate = f
		y := lif.Fire(s, tensor(s, p.current, torch.Float32, 6, 4), s.Full(torch.CPU(), 2), 3)
		var state State
		streamed := lif.Stream(s, tensor(s, p.current, torch.Float32, 6, 4), s.Full(torch.CPU(), 2), 3, &state)
		require.NoError(t, s.Err())
		assert.Equal(t, p.spikes, read(t, y), f)
		assert.Equal(t, p.spikes, read(t, streamed), f)
		state.Reset()
	}
}

// Ends of the supports: exactly 0 from there on.
func TestFamiliesEndExactly(t *testing.T) {
	for _, c := range []struct {
		f   Surrogate
		b   float64
		end float64
	}{{DefaultSurrogate, 3, 0.5}, {Triangular, 2, 0.5}, {Rectangular, 2, 0.25}, {sigmoid, 2, 4}, {gaussian, 4, 2}} {
		for _, operator := range operators {
			s := torch.NewScope()
			u := torch.FromSlice(s, []float32{float32(0.5 - c.end), float32(0.5 + c.end), -100, 100}, 1, 4)
			require.NoError(t, torch.RequireGradient(u, true))
			lif := LIF{Tau: 0.2, Threshold: 0.5, Surrogate: c.f}
			y := s.Tensor(operator, lif.arguments(s, u, s.Full(torch.CPU(), c.b), 1)...)
			grad := s.GradientOf(s.Sum(y), []torch.Tensor{u})
			require.NoError(t, s.Err())
			assert.Equal(t, []float64{0, 0, 0, 0}, read(t, grad[0]), "%v %s", c.f, operator)
			require.NoError(t, s.Close())
		}
	}
}

// Membranes that are far off, infinite or no number must not read past a table.
func TestFamiliesAtTheEdgeOfTheNumbers(t *testing.T) {
	values := []float32{0, 3e38, -3e38, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), 1e-3, 8.4999995, -7.4999995, 0.5}
	for _, f := range Families() {
		for _, operator := range []string{"spikedhs::lif", "spikedhs::lif_composed", "spikedhs::lif_emulated"} {
			s := torch.NewInference()
			u := torch.FromSlice(s, values, 1, int64(len(values)))
			lif := LIF{Tau: 0.2, Threshold: 0.5, Surrogate: f}
			s.Tensor(operator, lif.arguments(s, u, s.Full(torch.CPU(), 1), 1)...)
			if operator != "spikedhs::lif_composed" {
				backward := map[string]string{"spikedhs::lif": "spikedhs::lif_backward", "spikedhs::lif_emulated": "spikedhs::lif_backward_emulated"}[operator]
				grads := s.Tensor(backward, append([]any{s.Tensor("aten::ones_like", u), nil, u, s.Full(torch.CPU(), 1), 0.2, 0.5, 1, nil}, f.Arguments(s, u)...)...)
				got := read(t, grads)
				for _, i := range []int{0, 6, 7, 8, 9} {
					want := f.Derivative(float64(values[i])-0.5, 1)
					assert.InDelta(t, want, got[i], 5e-5, "%v %s u=%v", f, operator, values[i])
				}
				assert.LessOrEqual(t, math.Abs(got[1])+math.Abs(got[2]), 1e-30, "%v %s", f, operator)
			}
			require.NoError(t, s.Close())
		}
	}
}

func TestSurrogateOperatorIsTheDerivative(t *testing.T) {
	s := torch.NewInference()
	defer s.Close()
	rng := rand.New(rand.NewSource(25))
	u := make([]float64, 2*3*40)
	for i := range u {
		u[i] = rng.NormFloat64()
	}
	temperatures := []float64{1, 3, 5}
	for _, f := range Families() {
		args := append([]any{tensor(s, u, torch.Float64, 2, 3, 40), tensor(s, temperatures, torch.Float64, 3), 0.5}, f.Arguments(s, s.Full(torch.CPU(), 1))...)
		got := s.Tensor("spikedhs::surrogate", args...)
		require.NoError(t, s.Err())
		want := make([]float64, len(u))
		for i := range u {
			want[i] = f.Derivative(u[i]-0.5, temperatures[i/40%3])
		}
		requireClose(t, want, read(t, got), f.tolerance(1e-12), f.String())
	}
}

func TestWrongFamiliesAreErrors(t *testing.T) {
	for text, args := range map[string][]any{
		"there is no family 7":   {torch.Named{Name: "surrogate", Value: 7}},
		"there is no family -1":  {torch.Named{Name: "surrogate", Value: -1}},
		"family 6 needs a table": {torch.Named{Name: "surrogate", Value: 6}},
	} {
		for _, operator := range operators {
			s := torch.NewInference()
			s.Tensor(operator, append([]any{s.Zeros(torch.CPU(), 2, 3), s.Full(torch.CPU(), 3), 0.2, 0.5, 1}, args...)...)
			assert.ErrorContains(t, s.Close(), text)
		}
	}
	for text, table := range map[string]func(*torch.Scope) (int, torch.Tensor){
		"family 0 has no table":              func(s *torch.Scope) (int, torch.Tensor) { return 0, s.Zeros(torch.CPU(), 2, 2) },
		"must be floating point [rows, colu": func(s *torch.Scope) (int, torch.Tensor) { return 6, s.Zeros(torch.CPU(), 4) },
		"at least 1 x 2":                     func(s *torch.Scope) (int, torch.Tensor) { return 6, s.Zeros(torch.CPU(), 1, 1) },
	} {
		s := torch.NewInference()
		number, values := table(s)
		s.Tensor("spikedhs::lif", s.Zeros(torch.CPU(), 2, 3), s.Full(torch.CPU(), 3), 0.2, 0.5, 1,
			torch.Named{Name: "surrogate", Value: number}, torch.Named{Name: "table", Value: values})
		assert.ErrorContains(t, s.Close(), text)
	}
	for name, fire := range map[string]func(LIF, *torch.Scope, torch.Tensor, torch.Tensor, int) torch.Tensor{
		"fused": LIF.Fire, "composed": LIF.FireComposed,
	} {
		s := torch.NewInference()
		fire(LIF{Tau: 0.2, Threshold: 0.5, Surrogate: "go:missing"}, s, s.Zeros(torch.CPU(), 2, 3), s.Full(torch.CPU(), 3), 1)
		err := s.Close()
		require.ErrorIs(t, err, ErrSurrogate, name)
		assert.ErrorContains(t, err, `surrogate "go:missing": want dspike, triangular`)
	}
}
