package torch

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// network registers two layers out of alphabetical order.
func network(t *testing.T) *Variables {
	t.Helper()
	v := NewVariables(CPU())
	t.Cleanup(func() { v.Close() })
	NewConv2d(v.Root().Sub("stem"), 2, 3, ConvOptions{Kernel: 3})
	NewBatchNorm(v.Root().At("cells", 1).Sub("bn"), 3)
	NewLinear(v.Root().At("cells", 0), 4, 5)
	require.NoError(t, v.Err())
	return v
}

func names(list []Variable) []string {
	var all []string
	for _, x := range list {
		all = append(all, x.Name)
	}
	return all
}

func TestVariablesKeepTheOrderOfCreation(t *testing.T) {
	assertLive(t)
	v := network(t)
	assert.Equal(t, []string{
		"stem.weight", "stem.bias",
		"cells.1.bn.weight", "cells.1.bn.bias", "cells.1.bn.running_mean", "cells.1.bn.running_var",
		"cells.0.weight", "cells.0.bias",
	}, names(v.All()))
	assert.Equal(t, []string{
		"stem.weight", "stem.bias", "cells.1.bn.weight", "cells.1.bn.bias", "cells.0.weight", "cells.0.bias",
	}, names(v.Parameters()))
	for _, c := range []struct {
		without []string
		want    int64
	}{
		{nil, 3*2*9 + 3 + 3 + 3 + 4*5 + 5},
		{[]string{"cells"}, 3*2*9 + 3},
		{[]string{"stem", "cells.0"}, 3 + 3},
		{[]string{"cell", "cells.0.weight"}, 3*2*9 + 3 + 3 + 3 + 4*5 + 5}, // paths, not beginnings of words
	} {
		count, err := v.Count(c.without...)
		require.NoError(t, err)
		assert.Equal(t, c.want, count, "without %v", c.without)
	}
	mean, ok := v.Lookup("cells.1.bn.running_mean")
	assert.True(t, ok)
	assert.False(t, mean.Trainable)
	_, ok = v.Lookup("cells.1")
	assert.False(t, ok)
	assert.Equal(t, "", v.Root().Name())
	assert.Equal(t, "cells.7", v.Root().At("cells", 7).Name())
	assert.Equal(t, "cpu", DeviceName(v.Device()))
}

func TestParametersWantGradientsAndBuffersDoNot(t *testing.T) {
	s := NewScope()
	defer s.Close()
	for _, x := range network(t).All() {
		s := s.Child()
		s.Backward(s.Sum(x.Value))
		assert.Equal(t, x.Trainable, s.Err() == nil, x.Name)
	}
}

func TestTwoVariablesOfOneName(t *testing.T) {
	v := network(t)
	v.Root().Buffer("stem.bias", Constant(0), 1)
	assert.EqualError(t, v.Err(), "torch: two variables are named stem.bias")
	assert.Len(t, v.All(), 8)
	v.Root().Buffer("later", Constant(0), 1) // the first error stays and nothing is added
	assert.ErrorContains(t, v.Err(), "stem.bias")
	assert.Len(t, v.All(), 8)
}

func TestALayerThatCannotBeBuilt(t *testing.T) {
	v := NewVariables(CPU())
	defer v.Close()
	v.Root().Parameter("w", Constant(1), -3)
	require.Error(t, v.Err())
	assert.Empty(t, v.All())
}

// values copies all variables into tensors of another scope.
func values(s *Scope, v *Variables) map[string]Tensor {
	m := map[string]Tensor{}
	for _, x := range v.All() {
		m[x.Name] = s.Detach(s.Clone(x.Value))
	}
	return m
}

func snapshot(t *testing.T, v *Variables) map[string][]float32 {
	t.Helper()
	m := map[string][]float32{}
	for _, x := range v.All() {
		m[x.Name] = bits(t, x.Value)
	}
	return m
}

func TestAssign(t *testing.T) {
	assertLive(t)
	s := NewInference()
	defer s.Close()
	from, to := network(t), network(t)
	require.NotEqual(t, snapshot(t, from), snapshot(t, to))
	require.NoError(t, to.Assign(values(s, from)))
	assert.Equal(t, snapshot(t, from), snapshot(t, to))
}

func TestAssignComparesBeforeItChanges(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*Scope, map[string]Tensor)
		text  string
		cause error
	}{
		"missing": {func(_ *Scope, m map[string]Tensor) { delete(m, "cells.0.bias") },
			"1 variables of the network are not in the file (such as cells.0.bias), 0 of the file", ErrMismatch},
		"unknown": {func(s *Scope, m map[string]Tensor) { m["extra"], m["another"] = s.Zeros(CPU(), 1), s.Zeros(CPU(), 1) },
			"2 of the file are not in the network (such as another)", ErrMismatch},
		"shape": {func(s *Scope, m map[string]Tensor) { m["cells.0.weight"] = s.Zeros(CPU(), 4, 5) },
			"cells.0.weight has shape [4 5] in the file and [5 4] in the network", ErrMismatch},
		"as many elements": {func(s *Scope, m map[string]Tensor) { m["cells.0.bias"] = s.Zeros(CPU(), 5, 1) },
			"cells.0.bias has shape [5 1]", ErrMismatch},
		"broadcast": {func(s *Scope, m map[string]Tensor) { m["cells.0.bias"] = s.Zeros(CPU(), 1) },
			"cells.0.bias has shape [1]", ErrMismatch},
		"freed": {func(s *Scope, m map[string]Tensor) { m["cells.0.bias"] = Tensor{} },
			"assign cells.0.bias", ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			s := NewInference()
			defer s.Close()
			from, to := network(t), network(t)
			m := values(s, from)
			c.spoil(s, m)
			require.NoError(t, s.Err())
			before := snapshot(t, to)
			err := to.Assign(m)
			require.ErrorIs(t, err, c.cause)
			assert.ErrorContains(t, err, c.text)
			assert.Equal(t, before, snapshot(t, to))
		})
	}
}

func TestClearGradients(t *testing.T) {
	s := NewScope()
	defer s.Close()
	v := network(t)
	w := v.Parameters()[0].Value
	s.Backward(s.Sum(w))
	require.NoError(t, s.Err())
	require.True(t, Defined(s.Gradient(w)))
	require.NoError(t, v.ClearGradients())
	assert.False(t, Defined(s.Gradient(w)))
	require.NoError(t, s.Err())
}
