package torch

import (
	"math"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTypedOperators(t *testing.T) {
	assertLive(t)
	rng := rand.New(rand.NewSource(1))
	s := NewScope()
	defer s.Close()
	a, b, m := random(rng, 3, 4), random(rng, 3, 4), random(rng, 4, 5)
	x := random(rng, 2, 3, 6, 9)
	ta, tb, tm, tx := a.tensor(s), b.tensor(s), m.tensor(s), x.tensor(s)

	sum := 0.0
	for _, v := range a.data {
		sum += v
	}
	copied := s.Zeros(CPU(), 3, 4)
	s.CopyTo(copied, ta)
	added := s.Clone(ta)
	same := s.AddTo(added, tb)
	plus := compute(a.shape, func(i []int64) float64 { return a.at(i...) + b.at(i...) })
	// Window i of an adaptive pool starts at floor(i*in/out) and ends
	// before ceil((i+1)*in/out).
	adaptive := func(i, in, out int64) (int64, int64) { return i * in / out, ((i+1)*in + out - 1) / out }

	for _, c := range []struct {
		name string
		got  Tensor
		want array
	}{
		{"Zeros", s.Zeros(CPU(), 2, 3), compute([]int64{2, 3}, func([]int64) float64 { return 0 })},
		{"Zeros without dimensions", s.Zeros(CPU()), number(0)},
		{"Full", s.Full(CPU(), 2.5, 3), vector(2.5, 2.5, 2.5)},
		{"ZerosLike", s.ZerosLike(ta), compute(a.shape, func([]int64) float64 { return 0 })},
		{"To", s.To(ta, CPU()), a},
		{"Contiguous", s.Contiguous(s.ChannelsLast(tx)), x},
		{"ChannelsLast", s.ChannelsLast(tx), x},
		{"Clone", s.Clone(ta), a},
		{"Detach", s.Detach(ta), a},
		{"CopyTo", copied, a},
		{"Add", s.Add(ta, tb), plus},
		{"AddTo in place", added, plus},
		{"AddTo result", same, plus},
		{"Sub", s.Sub(ta, tb), compute(a.shape, func(i []int64) float64 { return a.at(i...) - b.at(i...) })},
		{"Mul", s.Mul(ta, tb), compute(a.shape, func(i []int64) float64 { return a.at(i...) * b.at(i...) })},
		{"Scale", s.Scale(ta, -1.5), compute(a.shape, func(i []int64) float64 { return -1.5 * a.at(i...) })},
		{"Matmul", s.Matmul(ta, tm), compute([]int64{3, 5}, func(i []int64) float64 {
			dot := 0.0
			for k := range int64(4) {
				dot += a.at(i[0], k) * m.at(k, i[1])
			}
			return dot
		})},
		{"Sum", s.Sum(ta), number(sum)},
		{"Mean", s.Mean(ta), number(sum / 12)},
		{"MeanOver", s.MeanOver(ta, 0), compute([]int64{4}, func(i []int64) float64 {
			return (a.at(0, i[0]) + a.at(1, i[0]) + a.at(2, i[0])) / 3
		})},
		{"ReLU", s.ReLU(ta), compute(a.shape, func(i []int64) float64 { return math.Max(a.at(i...), 0) })},
		{"Softmax", s.Softmax(ta, 1), compute(a.shape, func(i []int64) float64 {
			return math.Exp(a.at(i...) - logSumExp(a, i[0]))
		})},
		{"Reshape", s.Reshape(ta, 2, -1), array{shape: []int64{2, 6}, data: a.data}},
		{"Expand", s.Expand(s.Reshape(ta, 3, 4, 1), 3, 4, 2), compute([]int64{3, 4, 2}, func(i []int64) float64 {
			return a.at(i[0], i[1])
		})},
		{"Select", s.Select(ta, 1, 2), vector(a.at(0, 2), a.at(1, 2), a.at(2, 2))},
		{"Narrow", s.Narrow(ta, 1, 1, 2), compute([]int64{3, 2}, func(i []int64) float64 { return a.at(i[0], i[1]+1) })},
		{"Cat", s.Cat([]Tensor{ta, tb}, 0), array{shape: []int64{6, 4}, data: append(append([]float64{}, a.data...), b.data...)}},
		{"Cat along the last dimension", s.Cat([]Tensor{ta, s.Narrow(tb, 1, 0, 1)}, 1), compute([]int64{3, 5}, func(i []int64) float64 {
			if i[1] == 4 {
				return b.at(i[0], 0)
			}
			return a.at(i...)
		})},
		{"Stack", s.Stack([]Tensor{ta, tb}, 1), compute([]int64{3, 2, 4}, func(i []int64) float64 {
			return []array{a, b}[i[1]].at(i[0], i[2])
		})},
		{"RepeatFirst", s.RepeatFirst(ta, 3), compute([]int64{9, 4}, func(i []int64) float64 { return a.at(i[0]%3, i[1]) })},
		{"ResizeNearest down", s.ResizeNearest(tx, 3, 4), compute([]int64{2, 3, 3, 4}, func(i []int64) float64 {
			return x.at(i[0], i[1], i[2]*6/3, i[3]*9/4)
		})},
		{"ResizeNearest up", s.ResizeNearest(tx, 13, 18), compute([]int64{2, 3, 13, 18}, func(i []int64) float64 {
			return x.at(i[0], i[1], i[2]*6/13, i[3]*9/18)
		})},
		{"GlobalAveragePool", s.GlobalAveragePool(tx), compute([]int64{2, 3}, func(i []int64) float64 {
			return window(x, i, 0, 6, 0, 9)
		})},
		{"AveragePool", s.AveragePool(tx, 3, 2), compute([]int64{2, 3, 2, 4}, func(i []int64) float64 {
			return window(x, i, 2*i[2], 2*i[2]+3, 2*i[3], 2*i[3]+3)
		})},
		{"AdaptiveAveragePool", s.AdaptiveAveragePool(tx, 4, 2), compute([]int64{2, 3, 4, 2}, func(i []int64) float64 {
			top, bottom := adaptive(i[2], 6, 4)
			left, right := adaptive(i[3], 9, 2)
			return window(x, i, top, bottom, left, right)
		})},
	} {
		t.Run(c.name, func(t *testing.T) { assertClose(t, c.want, c.got, 1e-6) })
	}
	require.NoError(t, s.Err())
}

// logSumExp is log(sum(exp(row))) of one row of a matrix.
func logSumExp(a array, row int64) float64 {
	sum := 0.0
	for k := range a.shape[1] {
		sum += math.Exp(a.at(row, k))
	}
	return math.Log(sum)
}

// window is the mean of the plane i[0], i[1] over a rectangle.
func window(x array, i []int64, top, bottom, left, right int64) float64 {
	sum := 0.0
	for h := top; h < bottom; h++ {
		for w := left; w < right; w++ {
			sum += x.at(i[0], i[1], h, w)
		}
	}
	return sum / float64((bottom-top)*(right-left))
}

func TestCrossEntropy(t *testing.T) {
	s := NewScope()
	defer s.Close()
	logits := random(rand.New(rand.NewSource(2)), 5, 7)
	classes := []int64{3, 0, 6, 6, 1}
	want := 0.0
	for row, class := range classes {
		want += (logSumExp(logits, int64(row)) - logits.at(int64(row), class)) / 5
	}
	loss := s.CrossEntropy(logits.tensor(s), FromSlice(s, classes, 5))
	assertClose(t, number(want), loss, 1e-6)
	assert.InDelta(t, want, s.Item(loss), 1e-6)
}

func TestTopKGivesIndicesInOrder(t *testing.T) {
	s := NewScope()
	defer s.Close()
	rows := FromSlice(s, []float32{0.1, 0.9, 0.5, 0.3, 4, -1, 3, 2}, 2, 4)
	indices, err := ToSlice[int64](s.TopK(rows, 3))
	require.NoError(t, err)
	assert.Equal(t, []int64{1, 2, 3, 0, 2, 3}, indices)
}

func TestSplitAndUnbind(t *testing.T) {
	assertLive(t)
	s := NewScope()
	defer s.Close()
	x := FromSlice(s, []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 2, 5)
	parts := s.Split(x, 1, 2)
	require.Len(t, parts, 3) // the last one is smaller
	assertClose(t, array{[]int64{2, 2}, []float64{3, 4, 8, 9}}, parts[1], 0)
	assertClose(t, array{[]int64{2, 1}, []float64{5, 10}}, parts[2], 0)
	columns := s.Unbind(x, 1)
	require.Len(t, columns, 5)
	assertClose(t, vector(4, 9), columns[3], 0)
	require.NoError(t, s.Err())
	assert.Nil(t, s.Split(x, 1, -1))
	assert.Error(t, s.Err())
	assert.Nil(t, s.Unbind(x, 1))
}

func TestCastConvertsBothWays(t *testing.T) {
	s := NewScope()
	defer s.Close()
	x := FromSlice(s, []float64{-1.75, 0.1, 257}, 3)
	for _, c := range []struct {
		dtype int8
		want  array
	}{
		{Float32, vector(-1.75, float64(float32(0.1)), 257)},
		{BFloat16, vector(-1.75, 0.10009765625, 256)}, // 8 bits of mantissa, ties to even
		{Int64, vector(-1, 0, 257)},
		{Int32, vector(-1, 0, 257)},
		{Bool, vector(1, 1, 1)},
	} {
		got := s.Cast(x, c.dtype)
		dtype, err := Dtype(got)
		require.NoError(t, err)
		assert.Equal(t, c.dtype, dtype)
		assertClose(t, c.want, got, 0)
	}
}

func TestChannelsLastChangesTheMemoryOrder(t *testing.T) {
	s := NewScope()
	defer s.Close()
	x := random(rand.New(rand.NewSource(3)), 2, 3, 4, 5).tensor(s)
	// A view of channels-last memory with the dimensions N, H, W, C is contiguous.
	view := s.Tensor("aten::permute", s.ChannelsLast(x), []int64{0, 2, 3, 1})
	flat := s.Tensor("aten::view", view, []int64{-1})
	require.NoError(t, s.Err())
	values, want := read(t, flat), read(t, x)
	for i := range int64(len(values.data)) {
		n, h, w, c := i/60, i/15%4, i/3%5, i%3
		require.Equal(t, want.at(n, c, h, w), values.data[i])
	}
}

func TestCloneAndDetachDifferInSharing(t *testing.T) {
	s := NewScope()
	defer s.Close()
	x := vector(1, 2).leaf(t, s)
	clone, shared := s.Clone(x), s.Detach(x)
	s.AddTo(shared, shared)
	assertClose(t, vector(2, 4), x, 0)
	assertClose(t, vector(1, 2), clone, 0)
	s.Backward(s.Sum(clone)) // the clone is in the graph
	require.NoError(t, s.Err())
	assertClose(t, vector(1, 1), s.Gradient(x), 0)
	s.Backward(s.Sum(shared)) // what was detached is not
	assert.ErrorContains(t, s.Err(), "does not depend on any")
}

func TestSizeIsHarmlessAfterAFailure(t *testing.T) {
	s := NewScope()
	defer s.Close()
	x := s.Zeros(CPU(), 4, 6)
	assert.Equal(t, []int64{4, 6}, s.Shape(x))
	assert.EqualValues(t, 6, s.Size(x, 1))
	assert.EqualValues(t, 1, s.Size(x, 2))
	s.Shape(Tensor{})
	require.ErrorContains(t, s.Err(), "scope was closed")
	assert.Nil(t, s.Shape(x))
	assert.EqualValues(t, 1, s.Size(x, 0))
	assert.Zero(t, s.Item(s.Full(CPU(), 3)))
}

func TestItem(t *testing.T) {
	s := NewScope()
	defer s.Close()
	for _, x := range []Tensor{
		FromSlice(s, []float32{2}, 1), FromSlice(s, []float64{2}), FromSlice(s, []int64{2}, 1, 1),
	} {
		value, err := Item(x)
		require.NoError(t, err)
		assert.Equal(t, 2.0, value)
	}
	_, err := Item(s.Zeros(CPU(), 2))
	assert.ErrorContains(t, err, "2 elements, not one")
	_, err = Item(Tensor{})
	assert.ErrorContains(t, err, "scope was closed")
}
