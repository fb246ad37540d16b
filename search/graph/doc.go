// Package graph holds a network as data: a list of named nodes, each of which makes one
// tensor from earlier ones. A [Program] is such a list for inference, with batch
// normalisation folded into the weights
//
//	y = γ (W x + b - μ) / sqrt(σ² + ε) + β  =  W' x + b'
//
// so that convolutions, neurons, sums and concatenations are left. The list is the one
// place that knows the wiring; whoever needs to know something about a network walks it:
// [Program.Run] computes it, [Program.RunFast] computes its event-driven form, package
// search/export prints it as TorchScript, [Program.Activity] has the firing rate of every layer
// and the energy that follows, [Program.Description] writes it as JSON, [Program.Table] lists
// shapes, parameters and multiply-accumulates.
//
// A network that is trained is a [Graph], whose operations have parameters of their own; an
// operation may be a graph itself ([Nested]), such as a cell, and [Graph.Flat] puts all of
// them into one list. A program is made of that list by folding each node.
//
// Time is folded into the batch: values are [T*N, C, H, W], time slowest. Depth of a
// feature volume is folded in behind it, [T*N*planes, C, H, W].
//
//	p := graph.New(graph.Spec{Steps: 4, Neuron: spike.Default(), Inputs: []string{"images"}})
//	defer p.Close()
//	w := p.Constant("stem.weight", weight)
//	b := p.Constant("stem.bias", bias)
//	y := p.Add(graph.Conv{X: graph.Input(0), Weight: w, Bias: b, Stride: 1, Pad: 1})
//	y = p.Fire("stem", p.Add(graph.Repeat{X: y}))
package graph
