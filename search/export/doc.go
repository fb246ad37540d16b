// Package export prints networks for other programs: a walk over the nodes of a
// [graph.Program], with one place that knows how a node is written. [TorchScript] and
// [StreamScript] write what libtorch loads; both compute the same numbers as the program,
// operator by operator.
package export
