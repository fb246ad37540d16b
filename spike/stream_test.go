package spike

import (
	"fmt"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/torchtest"
)

// Every way to cut seven steps into calls gives the spikes of one call.
func TestAStreamMayBeCutAnywhere(t *testing.T) {
	assertLive(t)
	rng := rand.New(rand.NewSource(1))
	const steps = 7
	p := newProblem(rng, LIF{Tau: 0.9, Threshold: 0.5}, steps, []int64{2 * steps, 3, 5, 4}, []float64{3}, false, toFloat32)
	s := torch.NewInference()
	defer s.Close()
	b := s.Full(torch.CPU(), 3)
	whole := tensor(s, p.current, torch.Float32, p.shape...)
	for cuts := range 1 << (steps - 1) {
		var state State
		var spikes []float64
		begin := 0
		for end := 1; end <= steps; end++ {
			if end < steps && cuts>>(end-1)&1 == 0 {
				continue
			}
			piece := s.Narrow(whole, 0, 2*begin, 2*(end-begin))
			if begin%2 == 1 { // a stream may change its layout on the way
				piece = s.ChannelsLast(piece)
			}
			spikes = append(spikes, read(t, p.lif.Stream(s, piece, b, end-begin, &state))...)
			begin = end
		}
		require.NoError(t, s.Err())
		require.Equal(t, p.spikes, spikes, "cuts %06b", cuts)
		requireClose(t, p.end, read(t, state.Membrane()), 1e-6, "membrane")
		state.Reset()
	}
}

func TestAStateOutlivesTheScopeOfItsCall(t *testing.T) {
	assertLive(t)
	var state State
	for i := range 3 {
		s := torch.NewScope()
		// 0.3, 0.3 + 0.27, ...: it fires in the second call.
		y := LIF{Tau: 0.9, Threshold: 0.5}.Stream(s, s.Full(torch.CPU(), 0.3, 1, 1), s.Full(torch.CPU(), 3), 1, &state)
		assert.Equal(t, []float64{float64(i % 2)}, read(t, y))
		require.NoError(t, s.Close())
	}
	assert.True(t, torch.Defined(state.Membrane()))
	state.Reset()
	assert.False(t, torch.Defined(state.Membrane()))
	state.Reset()
}

func TestResetForgets(t *testing.T) {
	s := torch.NewInference()
	defer s.Close()
	var state State
	defer state.Reset()
	lif := LIF{Tau: 0.9, Threshold: 0.5}
	fire := func(shape ...int64) []float64 {
		return read(t, lif.Stream(s, s.Full(torch.CPU(), 0.3, shape...), s.Full(torch.CPU(), 3), 1, &state))
	}
	assert.Equal(t, []float64{0}, fire(1, 1))
	state.Reset()
	assert.Equal(t, []float64{0}, fire(1, 1))
	assert.Equal(t, []float64{1}, fire(1, 1))
	state.Reset()
	assert.Equal(t, []float64{0, 0}, fire(1, 2), "another shape after a reset")
	require.NoError(t, s.Err())
}

// Whatever makes a call fail, the membrane stays as it was.
func TestAFailedCallLeavesTheStateAlone(t *testing.T) {
	assertLive(t)
	for name, c := range map[string]struct {
		shape []int64
		steps int
		b     func(*torch.Scope) torch.Tensor
		cause error
		text  string
	}{
		"another batch":        {[]int64{4, 3}, 1, nil, ErrState, "state of shape [2 3], input of one step [4 3]"},
		"another channel":      {[]int64{2, 4}, 1, nil, ErrState, "[2 4]"},
		"another rank":         {[]int64{2, 3, 1}, 1, nil, ErrState, "[2 3 1]"},
		"more steps than said": {[]int64{4, 3}, 1, nil, ErrState, "reset it"},
		"steps 0":              {[]int64{2, 3}, 0, nil, nil, "steps must be positive"},
		"indivisible":          {[]int64{5, 3}, 2, nil, nil, "must be steps * batch"},
		"temperatures": {[]int64{2, 3}, 1, func(s *torch.Scope) torch.Tensor { return s.Full(torch.CPU(), 3, 2) }, nil,
			"one temperature, or one for each"},
		"freed temperature": {[]int64{2, 3}, 1, func(*torch.Scope) torch.Tensor { return torch.Tensor{} }, torch.ErrClosed, ""},
		"failed before": {[]int64{2, 3}, 1, func(s *torch.Scope) torch.Tensor { return s.Tensor("aten::no_such_operator") }, nil,
			"no_such_operator"},
	} {
		t.Run(name, func(t *testing.T) {
			var state State
			defer state.Reset()
			run := func(s *torch.Scope, steps int, b torch.Tensor, shape ...int64) torch.Tensor {
				return LIF{Tau: 0.9, Threshold: 0.5}.Stream(s, s.Full(torch.CPU(), 0.3, shape...), b, steps, &state)
			}
			s := torch.NewInference()
			defer s.Close()
			b := s.Full(torch.CPU(), 3)
			run(s, 1, b, 2, 3)
			require.NoError(t, s.Err())
			before := read(t, state.Membrane())

			bad := torch.NewInference()
			temperature := b
			if c.b != nil {
				temperature = c.b(bad)
			}
			y := run(bad, c.steps, temperature, c.shape...)
			assert.False(t, torch.Defined(y))
			err := bad.Close()
			require.ErrorContains(t, err, c.text)
			assert.NotContains(t, err.Error(), "\n")
			if c.cause != nil {
				require.ErrorIs(t, err, c.cause)
			}
			assert.Equal(t, before, read(t, state.Membrane()))
			assert.Equal(t, []float64{1, 1, 1, 1, 1, 1}, read(t, run(s, 1, b, 2, 3)), "the stream goes on")
			require.NoError(t, s.Err())
		})
	}
}

func TestStreamsAreIndependent(t *testing.T) {
	s := torch.NewInference()
	defer s.Close()
	lif := LIF{Tau: 0.9, Threshold: 0.5}
	b := s.Full(torch.CPU(), 3)
	var left, right State
	defer left.Reset()
	defer right.Reset()
	input := s.Full(torch.CPU(), 0.3, 1, 1)
	var log []string
	for i := range 4 {
		log = append(log, fmt.Sprint(read(t, lif.Stream(s, input, b, 1, &left))))
		if i > 0 {
			log = append(log, fmt.Sprint(read(t, lif.Stream(s, input, b, 1, &right))))
		}
	}
	require.NoError(t, s.Err())
	assert.Equal(t, []string{"[0]", "[1]", "[0]", "[0]", "[1]", "[1]", "[0]"}, log)
}

// No graph reaches from one call into the one before.
func TestGradientsEndAtTheState(t *testing.T) {
	s := torch.NewScope()
	defer s.Close()
	var state State
	defer state.Reset()
	lif := LIF{Tau: 0.9, Threshold: 0.5}
	b := s.Full(torch.CPU(), 3)
	first, second := s.Full(torch.CPU(), 0.3, 1, 1), s.Full(torch.CPU(), 0.2, 1, 1)
	require.NoError(t, torch.RequireGradient(first, true))
	require.NoError(t, torch.RequireGradient(second, true))
	lif.Stream(s, first, b, 1, &state)
	y := lif.Stream(s, second, b, 1, &state)
	grads := s.GradientOf(s.Sum(y), []torch.Tensor{first, second})
	require.NoError(t, s.Err())
	assert.False(t, torch.Defined(grads[0]))
	u := 0.9*0.3 + 0.2
	requireClose(t, []float64{DefaultSurrogate.Derivative(u-0.5, 3)}, read(t, grads[1]), 1e-5, "gradient")
}

// A state must not keep more than its membrane.
func TestLongStreamsStayFlat(t *testing.T) {
	var state State
	defer state.Reset()
	torchtest.Flat(t, 100, func() {
		s := torch.NewScope()
		current := s.Full(torch.CPU(), 0.3, 2, 3)
		require.NoError(t, torch.RequireGradient(current, true))
		Default().Stream(s, current, s.Full(torch.CPU(), 3), 1, &state)
		require.NoError(t, s.Close())
	})
}
