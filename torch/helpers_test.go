package torch

import (
	"math"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch/live"
)

// array is a tensor of float64 in C order: what the oracles of these tests
// compute with, apart from libtorch.
type array struct {
	shape []int64
	data  []float64
}

// compute fills an array by a formula of the index.
func compute(shape []int64, value func(i []int64) float64) array {
	a := array{shape: shape}
	eachIndex(shape, func(i []int64) { a.data = append(a.data, value(i)) })
	return a
}

// random draws normal values that float32 holds exactly, so that an oracle and
// libtorch start from the same numbers.
func random(rng *rand.Rand, shape ...int64) array {
	return compute(shape, func([]int64) float64 { return float64(float32(rng.NormFloat64())) })
}

// number is an array without dimensions.
func number(value float64) array { return array{shape: []int64{}, data: []float64{value}} }

// vector is an array of one dimension.
func vector(values ...float64) array {
	return array{shape: []int64{int64(len(values))}, data: values}
}

// eachIndex visits the indices of a shape in C order.
func eachIndex(shape []int64, visit func(i []int64)) {
	index := make([]int64, len(shape))
	for range elementsOf(shape) {
		visit(index)
		for d := len(shape) - 1; d >= 0; d-- {
			if index[d]++; index[d] < shape[d] {
				break
			}
			index[d] = 0
		}
	}
}

func (a array) offset(index []int64) int64 {
	var offset int64
	for d, i := range index {
		offset = offset*a.shape[d] + i
	}
	return offset
}

func (a array) at(index ...int64) float64 { return a.data[a.offset(index)] }

// tensor copies a into a float32 tensor.
func (a array) tensor(s *Scope) Tensor {
	values := make([]float32, len(a.data))
	for i, v := range a.data {
		values[i] = float32(v)
	}
	return FromSlice(s, values, a.shape...)
}

// leaf is tensor with a gradient wanted.
func (a array) leaf(t *testing.T, s *Scope) Tensor {
	t.Helper()
	x := a.tensor(s)
	require.NoError(t, s.Err())
	require.NoError(t, RequireGradient(x, true))
	return x
}

// read copies a tensor of any number type.
func read(t *testing.T, x Tensor) array {
	t.Helper()
	shape, err := Shape(x)
	require.NoError(t, err)
	s := NewInference()
	defer s.Close()
	values, err := ToSlice[float64](s.Cast(x, Float64))
	require.NoError(t, err)
	require.NoError(t, s.Err())
	return array{shape: shape, data: values}
}

// assertClose compares shape and values; the tolerance is relative for values
// above 1 and absolute below.
func assertClose(t *testing.T, want array, got Tensor, tolerance float64) {
	t.Helper()
	have := read(t, got)
	require.Equal(t, append([]int64{}, want.shape...), append([]int64{}, have.shape...), "shape")
	for i, w := range want.data {
		h := have.data[i]
		if math.IsNaN(h) != math.IsNaN(w) || math.Abs(h-w) > tolerance*(1+math.Abs(w)) {
			t.Errorf("element %d of %v: got %.9g, want %.9g", i, want.shape, h, w)
			return
		}
	}
}

// bits reads a float32 tensor for comparisons without tolerance.
func bits(t *testing.T, x Tensor) []float32 {
	t.Helper()
	values, err := ToSlice[float32](x)
	require.NoError(t, err)
	return values
}

// assertLive checks at the end of a test that it left no tensor behind.
func assertLive(t *testing.T) {
	t.Helper()
	live.Same(t, LiveTensors)
}

// needKernels skips a test of a family of CPU kernels where this build has none.
func needKernels(t *testing.T, family string) {
	t.Helper()
	if !CPUKernels(family) {
		t.Skipf("this build, or this CPU, has no kernels of the family %s", family)
	}
}

// cudaDevice is a CUDA device; the test is skipped where there is none.
func cudaDevice(t *testing.T) Device {
	t.Helper()
	if reason := CUDAMissing(); reason != "" {
		t.Skip("no CUDA device: " + reason)
	}
	d, err := ParseDevice("cuda")
	require.NoError(t, err)
	return d
}
