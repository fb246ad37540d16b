// Package spike holds the spiking neuron and its surrogate gradient.
//
// The neuron is leaky integrate-and-fire with hard reset (paper, eq. 1):
//
//	u_t = tau * u_{t-1} * (1 - y_{t-1}) + I_t
//	y_t = 1 if u_t > Vth, else 0
//
// Symbols: u membrane potential, y spike, I input current, tau leak (0.2),
// Vth threshold (0.5), t time step. The step function has no useful
// derivative, so the backward pass uses that of a [Surrogate] with temperature b;
// where none is named it is Dspike's:
//
//	dy/du = (b/2) (1 - tanh^2(b (u - Vth))) / tanh(b/2)  for |u - Vth| < 1/2, else 0
//
// [Register] makes a Go function a surrogate; docs/surrogates.md shows all.
//
// All T steps are folded into the batch: a current has shape [T*N, C, H, W]
// with time slowest, convolutions see an ordinary batch, and [LIF.Fire] scans
// over time in one operator. [LIF.Stream] does the same for a stream that
// comes in pieces, with the membranes in an explicit [State].
package spike
