package torch

import (
	"fmt"
	"math/rand"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCallConvertsArguments(t *testing.T) {
	assertLive(t)
	s := NewScope()
	defer s.Close()
	x := FromSlice(s, []float32{1, 2, 3, 4, 5, 6}, 2, 3)
	ones := s.Full(CPU(), 1, 1, 1, 4, 4)
	for _, c := range []struct {
		name string
		got  Tensor
		want array
	}{
		{"an int for a number", s.Tensor("aten::mul.Scalar", x, 2), array{[]int64{2, 3}, []float64{2, 4, 6, 8, 10, 12}}},
		{"an int for a float", s.Tensor("aten::dropout", x, 0, false), array{[]int64{2, 3}, []float64{1, 2, 3, 4, 5, 6}}},
		{"an int for a list of two", s.Tensor("aten::avg_pool2d", ones, 2), array{[]int64{1, 1, 2, 2}, []float64{1, 1, 1, 1}}},
		{"named, out of order", s.Tensor("aten::sub.Tensor", Named{"alpha", 2}, Named{"other", x}, Named{"self", x}),
			array{[]int64{2, 3}, []float64{-1, -2, -3, -4, -5, -6}}},
		{"none", s.Tensor("aten::clamp", x, nil, 4), array{[]int64{2, 3}, []float64{1, 2, 3, 4, 4, 4}}},
		{"a text", s.Tensor("aten::div.Tensor_mode", x, s.Full(CPU(), 2), Named{"rounding_mode", "floor"}),
			array{[]int64{2, 3}, []float64{0, 1, 1, 2, 2, 3}}},
		{"a list of optional tensors", s.Tensor("aten::index.Tensor", x, []Tensor{{}, FromSlice(s, []int64{2, 0}, 2)}),
			array{[]int64{2, 2}, []float64{3, 1, 6, 4}}},
		{"ints for a list of floats", s.Tensor("aten::upsample_nearest2d.vec", ones, nil, []int64{2, 2}),
			compute([]int64{1, 1, 8, 8}, func([]int64) float64 { return 1 })},
		{"a device", s.Tensor("aten::zeros", []int64{2}, Named{"device", CPU()}), vector(0, 0)},
		{"defaults", s.Tensor("aten::cumsum", x, 1), array{[]int64{2, 3}, []float64{1, 3, 6, 4, 9, 15}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.NoError(t, s.Err())
			assertClose(t, c.want, c.got, 0)
		})
	}
}

func TestCallReturnsEveryKind(t *testing.T) {
	assertLive(t)
	s := NewScope()
	defer s.Close()
	x := FromSlice(s, []float32{1, 2, 3, 4}, 2, 2)
	assert.Equal(t, []any{int64(2)}, s.Call("aten::size.int", x, 0))
	assert.Equal(t, []any{true}, s.Call("aten::equal", x, x))
	assert.Equal(t, []any{2.5}, s.Call("aten::item", s.Mean(x)))
	assert.Equal(t, []any{int64(-3)}, s.Call("aten::item", FromSlice(s, []int64{-3}, 1)))

	rows := s.Call("aten::unbind.int", x, 0)[0].([]Tensor)
	require.Len(t, rows, 2)
	assertClose(t, vector(3, 4), rows[1], 0)

	pair := s.Call("aten::max.dim", x, 1)
	require.Len(t, pair, 2)
	assertClose(t, vector(2, 4), pair[0].(Tensor), 0)
	assertClose(t, vector(1, 1), pair[1].(Tensor), 0)
	require.NoError(t, s.Err())
}

// No exception may cross from C++: a bad call is an error of one line, and the
// process goes on.
func TestBadCallsAreErrors(t *testing.T) {
	image := func(s *Scope) Tensor { return s.Zeros(CPU(), 1, 2, 4, 4) }
	for name, call := range map[string]func(*Scope){
		"stride of three": func(s *Scope) { s.Call("aten::conv2d", image(s), s.Zeros(CPU(), 2, 2, 3, 3), nil, []int64{1, 1, 1}) },
		"stride of none":  func(s *Scope) { s.Call("aten::conv2d", image(s), s.Zeros(CPU(), 2, 2, 3, 3), nil, []int64{}) },
		"stride zero":     func(s *Scope) { s.Call("aten::conv2d", image(s), s.Zeros(CPU(), 2, 2, 3, 3), nil, []int64{0, 0}) },
		"3-D stride of two": func(s *Scope) {
			s.Call("aten::conv3d", s.Zeros(CPU(), 1, 2, 4, 4, 4), s.Zeros(CPU(), 2, 2, 3, 3, 3), nil, []int64{1, 1})
		},
		"pool kernel of three":       func(s *Scope) { s.Call("aten::avg_pool2d", image(s), []int64{2, 2, 2}) },
		"pool kernel of none":        func(s *Scope) { s.Call("aten::avg_pool2d", image(s), []int64{}) },
		"adaptive pool to one size":  func(s *Scope) { s.Call("aten::adaptive_avg_pool2d", image(s), []int64{2}) },
		"grid of one size":           func(s *Scope) { s.Call("aten::upsample_nearest2d", image(s), []int64{2}) },
		"grid of three sizes":        func(s *Scope) { s.Call("aten::upsample_nearest2d", image(s), []int64{2, 2, 2}) },
		"padding of three":           func(s *Scope) { s.Call("aten::constant_pad_nd", image(s), []int64{1, 1, 1}) },
		"empty list of tensors":      func(s *Scope) { s.Cat(nil, 0) },
		"too many dimensions":        func(s *Scope) { s.Reshape(image(s), 2, 2, 2, 2, 2, 2) },
		"permutation of two":         func(s *Scope) { s.Call("aten::permute", image(s), []int64{0, 1}) },
		"repeats of one":             func(s *Scope) { s.Call("aten::repeat", image(s), []int64{2}) },
		"a text for a tensor":        func(s *Scope) { s.Call("aten::relu", "x") },
		"a tensor for a list":        func(s *Scope) { s.Call("aten::reshape", image(s), image(s)) },
		"tensors for a list of ints": func(s *Scope) { s.Call("aten::reshape", image(s), []Tensor{image(s)}) },
		"ints for a tensor list":     func(s *Scope) { s.Call("aten::cat", []int64{1, 2}, 0) },
		"a bool for a list":          func(s *Scope) { s.Call("aten::reshape", image(s), true) },
		"floats for ints":            func(s *Scope) { s.Call("aten::reshape", image(s), []float64{2, 16}) },
		"none for a tensor":          func(s *Scope) { s.Call("aten::relu", nil) },
		"a text for a number":        func(s *Scope) { s.Call("aten::mul.Scalar", image(s), "2") },
		"a device for a bool":        func(s *Scope) { s.Call("aten::dropout", image(s), 0.5, CPU()) },
		"a dimension out of range":   func(s *Scope) { s.Select(image(s), 9, 0) },
		"an index out of range":      func(s *Scope) { s.Select(image(s), 0, 9) },
		"a class out of range":       func(s *Scope) { s.CrossEntropy(s.Zeros(CPU(), 1, 3), FromSlice(s, []int64{7}, 1)) },
		"more memory than there is":  func(s *Scope) { s.Zeros(CPU(), 1<<40, 1<<20) },
		"a size beyond all integers": func(s *Scope) { s.Zeros(CPU(), 1<<40, 1<<40) },
		"a negative size":            func(s *Scope) { s.Zeros(CPU(), -1) },
		"an unknown type":            func(s *Scope) { s.Cast(image(s), 99) },
		"in place on a leaf":         func(s *Scope) { w := s.Zeros(CPU(), 1); s.Fail(RequireGradient(w, true)); s.AddTo(w, w) },
		"empty name":                 func(s *Scope) { s.Call("") },
	} {
		t.Run(name, func(t *testing.T) {
			assertLive(t)
			s := NewScope()
			defer s.Close()
			call(s)
			require.Error(t, s.Err())
			assert.True(t, strings.HasPrefix(s.Err().Error(), "torch: "), s.Err())
			assert.NotContains(t, s.Err().Error(), "\n")
		})
	}
}

// Random arguments of random kinds: whatever libtorch thinks of them, it comes
// back as results or as an error.
func TestRandomArgumentsNeverCrash(t *testing.T) {
	assertLive(t)
	rng := rand.New(rand.NewSource(1))
	operators := []string{
		"aten::relu", "aten::add.Tensor", "aten::conv2d", "aten::cat", "aten::reshape", "aten::batch_norm",
		"aten::upsample_nearest2d", "aten::avg_pool2d", "aten::softmax.int", "aten::select.int", "aten::topk",
		"aten::full", "aten::linear", "spikedhs::lif", "spikedhs::lif_composed",
	}
	failures := 0
	for range 600 {
		s := NewScope()
		arguments := make([]any, rng.Intn(8))
		for i := range arguments {
			arguments[i] = randomArgument(rng, s)
		}
		require.NoError(t, s.Err())
		s.Call(operators[rng.Intn(len(operators))], arguments...)
		if err := s.Close(); err != nil {
			failures++
			require.NotContains(t, err.Error(), "\n")
		}
	}
	assert.Greater(t, failures, 300)
	assert.Less(t, failures, 600)
}

func randomArgument(rng *rand.Rand, s *Scope) any {
	shape := make([]int64, rng.Intn(5))
	for i := range shape {
		shape[i] = rng.Int63n(4)
	}
	switch rng.Intn(12) {
	case 0:
		return nil
	case 1:
		return rng.Intn(7) - 2
	case 2:
		return rng.Float64()
	case 3:
		return rng.Intn(2) == 0
	case 4:
		return shape
	case 5:
		return []float64{1, 2}[:rng.Intn(3)]
	case 6:
		return []bool{true, false}[:rng.Intn(3)]
	case 7:
		return []Tensor{s.Zeros(CPU(), 2), s.Zeros(CPU(), shape...)}[:rng.Intn(3)]
	case 8:
		return CPU()
	case 9:
		return Named{"other", s.Zeros(CPU(), shape...)}
	default:
		return s.Randn(CPU(), shape...)
	}
}

func TestLongMessagesAreCut(t *testing.T) {
	s := NewScope()
	defer s.Close()
	s.Call("aten::" + strings.Repeat("x", 10000))
	require.Error(t, s.Err())
	assert.Equal(t, "a b ...", oneLine("a\n b \t...\nException raised from somewhere\nframe #0"))
	assert.Len(t, oneLine(strings.Repeat("x", 1000)), 403)
}

// Scopes of several goroutines, each on whatever OS thread Go gives it, share
// frozen weights and have parameters of their own. Run with -race too.
func TestScopesInSeveralGoroutines(t *testing.T) {
	assertLive(t)
	shared := NewInference()
	defer shared.Close()
	weight := FromSlice(shared, []float32{1, 2, 3, 4}, 2, 2)
	require.NoError(t, shared.Err())
	failed := make(chan error)
	const goroutines = 8
	for g := range goroutines {
		go func() { failed <- work(weight, float32(g)) }()
	}
	for range goroutines {
		assert.NoError(t, <-failed)
	}
}

// work trains x down the loss sum(W x)^2 / 2 and compares each step.
func work(weight Tensor, start float32) error {
	owner := NewInference()
	defer owner.Close()
	x := FromSlice(owner, []float32{start, 1}, 2, 1)
	if err := RequireGradient(x, true); err != nil {
		return err
	}
	want := [2]float64{float64(start), 1}
	for step := range 50 {
		s := NewScope()
		sum := s.Sum(s.Matmul(weight, x))
		s.Backward(s.Scale(s.Mul(sum, sum), 0.5))
		gradient := s.Gradient(x)
		none := s.WithoutGradient()
		none.Call("aten::add_.Tensor", x, gradient, Named{"alpha", -0.01})
		none.Close()
		if err := s.Close(); err != nil {
			return err
		}
		if err := ClearGradient(x); err != nil {
			return err
		}
		total := 4*want[0] + 6*want[1] // column sums of W
		want[0] -= 0.01 * 4 * total
		want[1] -= 0.01 * 6 * total
		have, err := ToSlice[float32](x)
		if err != nil {
			return err
		}
		for i := range want {
			if d := float64(have[i]) - want[i]; d > 1e-4 || d < -1e-4 {
				return fmt.Errorf("start %v, step %d: got %v, want %v", start, step, have, want)
			}
		}
		bad := NewScope() // an error of one scope is nobody else's
		bad.Call("aten::no_such_operator")
		if bad.Close() == nil {
			return fmt.Errorf("no error")
		}
		runtime.Gosched()
	}
	return nil
}
