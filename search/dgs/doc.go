// Package dgs is differentiable surrogate gradient search (DGS; paper, section
// 3.4 and Algorithm 1): while a network is trained, the temperature of the
// surrogate gradient of chosen layers is searched.
//
// One iteration takes the weights w of a layer and one batch. Each candidate
// surrogate g_i gives weights w_i by one step of plain gradient descent. The
// layer then computes with all of them at once (eq. 7),
//
//	I = sum_i  exp(alpha_i) / sum_j exp(alpha_j)  *  I_i,   I_i = w_i x
//
// over the layer's own leaky, resetting neurons, and one Adam step of alpha from
// equal values tells which w_i lower the loss. After I_g iterations the candidate
// with the largest mean share becomes the layer's surrogate. The weights stay
// what they were; only the temperature changes.
//
// Symbols: g surrogate gradient, b its temperature, N candidates ([Options].
// Candidates), Delta b their distance ([Options].Delta), I_g iterations, epsilon
// start value of alpha, I input current, x input of the layer, e_D epochs between
// two searches (what calls this package counts them).
//
// # Layers
//
// A [Layer] is any place of a network where a current made from weights drives
// neurons; its [Layer.Forward] stands in the forward pass. Several layers may share a
// tensor, each owning some of its rows ([Part]).
//
// # Searching
//
// [Search] does a whole search, as in the example. [New], [Phase.Step] and
// [Phase.Finish] do one iteration at a time, for training loops that save and resume
// ([Phase.State]).
//
// # Two ways to the candidates' weights
//
// "repeat" runs the whole network forward and backward once for each candidate. "direct"
// runs it once, and then each layer alone for each candidate: what arrives at a layer's
// spikes from behind does not depend on the layer's own surrogate. The two are equal for
// every tau, T and surrogate as long as the layer is used once in a pass; docs/dgs.md
// tells why, and where the paper's condition that the g_i be linear in g holds.
package dgs
