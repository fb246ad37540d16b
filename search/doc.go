// Package search holds the networks of SpikeDHS: the supernet in which an
// architecture is searched, and the network of a found genotype.
//
// A network is a stem, a chain of cells and a head. A cell is a small graph of
// n nodes; every node is a layer of spiking neurons that fires once on the sum
// of what its edges bring (paper, eq. 3):
//
//	x_j = f( sum_{i<j} o_ij(x_i) )
//
// The edges come from the outputs s0 and s1 of the two cells before and from
// the earlier nodes. In the supernet an edge carries all candidate operations
// (skip, and 3x3 convolutions whose surrogate gradients have the temperatures
// b = 3 and b = 5), weighted by the softmax of trainable numbers alpha (eq. 4):
//
//	o_ij(x) = sum_o  exp(alpha_ij,o) / sum_p exp(alpha_ij,p)  *  o(x)
//
// Package genotype turns alpha into a discrete architecture; [NewNetwork]
// builds that.
//
// Symbols: F width of a node at level 0 ([Options].Width), n nodes of a cell,
// T time steps, alpha architecture weights, w network weights. Level l has
// 1/2^l of the height and width and F*2^l channels a node. Time is folded into
// the batch: tensors between layers are [T*N, C, H, W], time slowest.
//
// The layers of a Network whose surrogate gradient may be searched while it trains
// (package dgs) are listed by [Network.SpikingLayers].
//
// An image [N, C, H, W] is presented at every step. With [Options].Temporal the
// input has time itself, [T*N, C, H, W], as the stacks of an event camera have.
//
// Three forms of a network exist. [Supernet] is searched, [Network] is trained,
// and a [graph.Program], made by [Network.Program], is what inference uses: batch
// normalisation is folded into the convolutions, and the same list of
// nodes is run here and printed by package export.
//
//	g, err := genotype.Preset("spikedhs-cla-n3")
//	net, err := search.NewNetwork(torch.CPU(), g, search.Options{ ... })
//	defer net.Close()
//	s := torch.NewScope()
//	defer s.Close()
//	out := net.Forward(search.Pass{Scope: s, Mode: torch.Train}, images)
//	loss := s.CrossEntropy(out.Logits, labels)
//
// [graph.Program.Measure] and [graph.Program.CountSpikes] count spikes; the [graph.Activity] that
// they give has the firing rate s of every layer's input and what follows from it:
// s*T*A additions in place of the A multiply-accumulates of a dense layer, and the
// energy of both. [Options].Activation makes the ANN of the same architecture, and
// [Options].StemStrides a stem of several layers, as the network for ImageNet has.
package search
