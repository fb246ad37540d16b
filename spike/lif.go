package spike

import (
	"errors"
	"fmt"

	"github.com/spikedhs/spikedhs/torch"
)

// Defaults of the paper's neuron (section 3.1).
const (
	DefaultTau       = 0.2
	DefaultThreshold = 0.5
	// DefaultTemperature is b of Dspike in nodes and stems.
	DefaultTemperature = 3.0
)

// LIF are the constants of a leaky integrate-and-fire neuron with hard reset
// (eq. 1):
//
//	u_t = Tau * u_{t-1} * (1 - y_{t-1}) + I_t
//	y_t = 1 if u_t > Threshold else 0
//
// Tau = 0 is the binary neuron of the paper's ablation: no memory at all.
// The reset is part of the gradient graph. The zero value has Tau 0 and
// Threshold 0; use [Default] for the paper's constants.
type LIF struct {
	Tau       float64 // leak of the membrane from one step to the next
	Threshold float64 // Vth; a neuron fires strictly above it
	// Surrogate is the family of the gradient; the zero value is Dspike. Spikes do
	// not depend on it.
	Surrogate Surrogate
}

// Default is the paper's neuron: tau 0.2, threshold 0.5.
func Default() LIF { return LIF{Tau: DefaultTau, Threshold: DefaultThreshold} }

// ErrState is the cause of an error about a membrane state that does not fit
// the input it meets.
var ErrState = errors.New("membrane state does not fit the input; reset it when the batch or image size changes")

// Fire runs the neurons over all steps at once: current [steps*N, C, ...] with
// time slowest, membranes starting at zero. It returns spikes of the same
// shape. temperature is the surrogate's b as a tensor: one number, or one for
// each channel C. It shapes the backward pass only.
//
// On a CPU this is one fused kernel forward and one backward; other devices
// without a kernel use the composed form. The graph keeps the currents and
// computes the membranes again in the backward pass.
func (l LIF) Fire(s *torch.Scope, current, temperature torch.Tensor, steps int) torch.Tensor {
	return s.Tensor("spikedhs::lif", l.arguments(s, current, temperature, steps)...)
}

// FireComposed is [LIF.Fire] by elementary operators on any device: the
// reference that the fused kernels are tested against.
func (l LIF) FireComposed(s *torch.Scope, current, temperature torch.Tensor, steps int) torch.Tensor {
	return s.Tensor("spikedhs::lif_composed", l.arguments(s, current, temperature, steps)...)
}

// arguments are those of spikedhs::lif, then `more`.
func (l LIF) arguments(s *torch.Scope, current, temperature torch.Tensor, steps int, more ...any) []any {
	args := append([]any{current, temperature, l.Tau, l.Threshold, steps}, more...)
	return append(args, l.Surrogate.Arguments(s, current)...)
}

// State is the membrane of a layer between two calls of [LIF.Stream]:
// v = u * (1 - y), the potential after the reset. The zero value is a layer at
// rest; it takes its shape from the first input. Streams that run side by side
// need a State each.
type State struct {
	scope *torch.Scope
	v     torch.Tensor
}

// Reset puts the layer to rest and frees the membrane.
func (m *State) Reset() {
	if m.scope != nil {
		// The scope holds membranes only, and no operator fails in it.
		_ = m.scope.Close()
	}
	m.scope, m.v = nil, torch.Tensor{}
}

// Membrane is the potential after the last reset [N, C, ...], no tensor at rest.
func (m *State) Membrane() torch.Tensor { return m.v }

// Stream runs the neurons over the next steps of a stream: like [LIF.Fire],
// but starting from the membrane in m and leaving the new one there. The
// spikes of a sequence do not depend on how it was cut into calls. Gradients
// do not flow from one call to the next.
func (l LIF) Stream(s *torch.Scope, current, temperature torch.Tensor, steps int, m *State) torch.Tensor {
	if s.Err() != nil {
		return torch.Tensor{}
	}
	var before any
	if torch.Defined(m.v) {
		if s.Fail(m.fits(s, current, steps)); s.Err() != nil {
			return torch.Tensor{}
		}
		before = m.v
	}
	next := torch.NewInference()
	results := s.Call("spikedhs::lif", l.arguments(s, current, temperature, steps, before, true)...)
	if s.Err() != nil {
		return torch.Tensor{}
	}
	membrane := next.Detach(results[1].(torch.Tensor))
	if s.Fail(next.Err()); s.Err() != nil {
		return torch.Tensor{}
	}
	m.Reset()
	m.scope, m.v = next, membrane
	return results[0].(torch.Tensor)
}

// fits compares the state with one step of the current.
func (m *State) fits(s *torch.Scope, current torch.Tensor, steps int) error {
	want := s.Shape(current)
	have := s.Shape(m.v)
	if s.Err() != nil || steps <= 0 || len(want) == 0 {
		return s.Err()
	}
	want[0] /= int64(steps)
	if fmt.Sprint(have) != fmt.Sprint(want) {
		return fmt.Errorf("spike: state of shape %v, input of one step %v: %w", have, want, ErrState)
	}
	return nil
}
