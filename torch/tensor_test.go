package torch

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func roundTrip[E Element](t *testing.T, dtype int8, values ...E) {
	t.Helper()
	s := NewScope()
	defer s.Close()
	x := FromSlice(s, values, int64(len(values)))
	require.NoError(t, s.Err())
	have, err := Dtype(x)
	require.NoError(t, err)
	assert.Equal(t, dtype, have)
	back, err := ToSlice[E](x)
	require.NoError(t, err)
	assert.Equal(t, values, back)
}

func TestSlicesOfEveryElementType(t *testing.T) {
	type count int32 // a type of a program's own
	type level float64
	roundTrip[uint8](t, Uint8, 0, 200, 255)
	roundTrip[int32](t, Int32, -7, 1<<30)
	roundTrip[int64](t, Int64, -7, 1<<60)
	roundTrip[float32](t, Float32, -1.5, 3e38)
	roundTrip[float64](t, Float64, -1.5, 1e300)
	roundTrip[count](t, Int32, -7, 1<<30)
	roundTrip[level](t, Float64, 1e300)
}

func TestSlicesOfUnusualShapes(t *testing.T) {
	assertLive(t)
	s := NewScope()
	defer s.Close()
	scalar := FromSlice(s, []float32{7})
	empty := FromSlice(s, []float32{}, 0, 3)
	require.NoError(t, s.Err())
	assert.Empty(t, s.Shape(scalar))
	assert.Equal(t, []int64{0, 3}, s.Shape(empty))
	values, err := ToSlice[float32](empty)
	require.NoError(t, err)
	assert.Empty(t, values)

	// A view with strides of its own comes back in C order.
	x := FromSlice(s, []int32{1, 2, 3, 4, 5, 6}, 2, 3)
	transposed, err := ToSlice[int32](s.Tensor("aten::t", x))
	require.NoError(t, err)
	assert.Equal(t, []int32{1, 4, 2, 5, 3, 6}, transposed)
}

func TestToSliceChecksTheType(t *testing.T) {
	s := NewScope()
	defer s.Close()
	_, err := ToSlice[float64](s.Zeros(CPU(), 2))
	assert.EqualError(t, err, "torch: to slice: tensor has element type float32, the slice has float64")
}

func TestAClosedScopeFails(t *testing.T) {
	s := NewScope()
	x := s.Zeros(CPU(), 2)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	s.Add(x, x)
	require.ErrorIs(t, s.Err(), ErrClosed)

	s = NewScope()
	require.NoError(t, s.Close())
	s.Zeros(CPU(), 2)
	require.ErrorContains(t, s.Err(), "closed scope")
}

func TestEveryUseOfAFreedTensorIsErrClosed(t *testing.T) {
	s := NewScope()
	x := s.Zeros(CPU(), 2)
	require.NoError(t, s.Close())
	uses := map[string]func(s *Scope) error{
		"Shape":              func(*Scope) error { _, err := Shape(x); return err },
		"Dtype":              func(*Scope) error { _, err := Dtype(x); return err },
		"ToSlice":            func(*Scope) error { _, err := ToSlice[float32](x); return err },
		"Item":               func(*Scope) error { _, err := Item(x); return err },
		"RequireGradient":    func(*Scope) error { return RequireGradient(x, true) },
		"ClearGradient":      func(*Scope) error { return ClearGradient(x) },
		"SetGeneratorState":  func(*Scope) error { return SetGeneratorState(CPU(), x) },
		"Backward":           func(s *Scope) error { s.Backward(x); return s.Err() },
		"Gradient":           func(s *Scope) error { s.Gradient(x); return s.Err() },
		"GradientOf":         func(s *Scope) error { s.GradientOf(x, []Tensor{x}); return s.Err() },
		"Own":                func(s *Scope) error { s.Own(x); return s.Err() },
		"operator":           func(s *Scope) error { s.ReLU(x); return s.Err() },
		"Cat":                func(s *Scope) error { s.Cat([]Tensor{s.Zeros(CPU(), 2), x}, 0); return s.Err() },
		"Cat with no tensor": func(s *Scope) error { s.Cat([]Tensor{s.Zeros(CPU(), 2), {}}, 0); return s.Err() },
		"Stack":              func(s *Scope) error { s.Stack([]Tensor{x}, 0); return s.Err() },
	}
	for name, use := range uses {
		t.Run(name, func(t *testing.T) {
			s := NewScope()
			defer s.Close()
			assert.ErrorIs(t, use(s), ErrClosed)
		})
	}
}

func TestAChildHandsItsErrorUp(t *testing.T) {
	assertLive(t)
	s := NewScope()
	defer s.Close()
	child := s.WithoutGradient()
	assert.True(t, s.Records())
	assert.False(t, child.Records())
	child.Call("aten::no_such_operator")
	require.NoError(t, s.Err())
	require.Error(t, child.Close())
	assert.ErrorContains(t, s.Err(), "no_such_operator")
	assert.ErrorContains(t, s.Child().Err(), "no_such_operator")
}

func TestBlameKeepsTheInnermostLayer(t *testing.T) {
	s := NewScope()
	defer s.Close()
	func() {
		defer s.Blame("outer", s.Err())
		func() {
			defer s.Blame("inner", s.Err())
			s.Own(Tensor{})
		}()
	}()
	assert.EqualError(t, s.Err(), "inner: torch: own: tensor is empty or its scope was closed")
	require.ErrorIs(t, s.Err(), ErrClosed)
	func() { defer s.Blame("later", s.Err()) }()
	assert.NotContains(t, s.Err().Error(), "later")
}
