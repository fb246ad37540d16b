package torch

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	gotorch "github.com/wangkuiyi/gotorch"
)

func TestScopeFreesWhatItOwns(t *testing.T) {
	before := LiveTensors()
	s := NewScope()
	a := FromSlice(s, []float32{1, 2, 3, 4}, 2, 2)
	b := s.Add(a, a)
	require.NoError(t, s.Err())
	assert.Equal(t, before+2, LiveTensors())
	values, err := ToSlice[float32](b)
	require.NoError(t, err)
	assert.Equal(t, []float32{2, 4, 6, 8}, values)
	require.NoError(t, s.Close())
	assert.Equal(t, before, LiveTensors())
	assert.False(t, Defined(b))
	_, err = ToSlice[float32](b)
	assert.ErrorContains(t, err, "scope was closed")
}

func TestReturnMovesToTheParent(t *testing.T) {
	before := LiveTensors()
	s := NewScope()
	inner := s.Child()
	a := inner.Zeros(CPU(), 3)
	b := inner.Return(inner.Add(a, a))
	require.NoError(t, inner.Close())
	assert.False(t, Defined(a))
	assert.True(t, Defined(b))
	assert.Equal(t, before+1, LiveTensors())
	s.Free(b)
	assert.Equal(t, before, LiveTensors())
	require.NoError(t, s.Close())
}

func TestErrorsStickAndNameOperatorAndLayer(t *testing.T) {
	s := NewScope()
	defer s.Close()
	v := NewVariables(CPU())
	defer v.Close()
	conv := NewConv2d(v.Root().At("cells", 0).Sub("conv"), 3, 8, ConvOptions{Kernel: 3})
	require.NoError(t, v.Err())
	y := conv.Forward(s, s.Zeros(CPU(), 1, 4, 8, 8))
	assert.False(t, Defined(y))
	err := s.Err()
	require.Error(t, err)
	assert.Contains(t, err.Error(), "cells.0.conv: torch: aten::conv2d:")
	assert.Contains(t, err.Error(), "float32[1 4 8 8]")
	assert.NotContains(t, err.Error(), "\n")
	s.Add(y, y) // does nothing
	assert.Equal(t, err, s.Err())
}

func TestCallChecksItsArguments(t *testing.T) {
	for name, call := range map[string]func(*Scope){
		"no such operator":       func(s *Scope) { s.Call("aten::no_such_operator") },
		"is missing":             func(s *Scope) { s.Call("aten::add.Tensor", s.Zeros(CPU(), 1)) },
		"no argument named":      func(s *Scope) { s.Call("aten::relu", s.Zeros(CPU(), 1), Named{"speed", 1}) },
		"takes 1 arguments":      func(s *Scope) { s.Call("aten::relu", s.Zeros(CPU(), 1), 1) },
		"cannot be passed":       func(s *Scope) { s.Call("aten::relu", struct{}{}) },
		"scope was closed":       func(s *Scope) { s.Call("aten::relu", Tensor{}) },
		"needs 6 values, got 2":  func(s *Scope) { FromSlice(s, []float32{1, 2}, 2, 3) },
		"loss must be one":       func(s *Scope) { s.Backward(s.Zeros(CPU(), 2)) },
		"does not depend on any": func(s *Scope) { s.Backward(s.Zeros(CPU(), 1)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := NewScope()
			defer s.Close()
			call(s)
			assert.ErrorContains(t, s.Err(), name)
		})
	}
}

func TestGotorchTensorsPassBothWays(t *testing.T) {
	s := NewScope()
	defer s.Close()
	before := LiveTensors()
	theirs := gotorch.NewTensor([][]float32{{1, 2}, {3, 4}})
	sum := s.Add(theirs, theirs) // in
	require.NoError(t, s.Err())
	product := gotorch.MM(sum, theirs) // and out
	values, err := ToSlice[float32](product)
	require.NoError(t, err)
	assert.Equal(t, []float32{14, 20, 30, 44}, values)
	s.Own(product)
	assert.Equal(t, before+2, LiveTensors())
	require.NoError(t, s.Close())
	assert.Equal(t, before, LiveTensors())
	runtime.GC() // gotorch's disarmed finalizer must not free a second time
	runtime.GC()
}

func TestForgottenScopeIsCollected(t *testing.T) {
	before := LiveTensors()
	func() {
		s := NewScope()
		s.Zeros(CPU(), 10)
	}()
	for i := 0; i < 50 && LiveTensors() != before; i++ {
		runtime.GC()
		runtime.Gosched()
	}
	assert.Equal(t, before, LiveTensors())
}
