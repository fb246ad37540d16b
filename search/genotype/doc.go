// Package genotype describes the architectures that SpikeDHS finds: it decodes
// them from trained search weights, stores them, reads the published ones and
// draws them.
//
// # The cell
//
// A network of SpikeDHS is a chain of cells. A cell is a directed acyclic graph
// of n spiking nodes. It reads the outputs s0 and s1 of the two cells before it
// and concatenates the outputs of its nodes. Node j sums what arrives on its
// edges and fires once (equation 3 of the paper):
//
//	x_j = f( sum over i<j of o(i,j)(x_i) )
//
// where f is a spiking neuron, i runs over s0, s1 and the earlier nodes, and
// o(i,j) is the operation on the edge from i to j. Node j has 2+j possible
// edges, numbered consecutively over the nodes. With three nodes:
//
//	into  from s0  from s1  from n0  from n1
//	n0       0        1
//	n1       2        3        4
//	n2       5        6        7        8
//
// # Search and decoding
//
// During the search every edge carries all candidate operations at once, mixed
// by a softmax over trained weights alpha (equation 4):
//
//	mixed(i,j)(x) = sum over o of  exp(alpha_o(i,j)) / sum over o' of exp(alpha_o'(i,j))  *  o(x)
//
// The candidates are those of [Op]. After the search [DecodeCell] keeps the two strongest
// edges of every node and the most probable operation of each. [Entropy] and [SkipShare]
// tell during the search whether it settles, and whether it collapses to skips.
//
// # The genotype
//
// A [Genotype] is a list of named subnets, the searched parts of a network: one cell
// each, and the path that its copies take through the levels of resolution. A chain
// of cells, as networks of images are, has the subnet "normal" and may have
// "reduction"; it can leave its levels to who builds the network. A network over two
// views has "feature" and "matching". The form is readable, versioned JSON:
//
//	{
//	  "format": "spikedhs-genotype",
//	  "version": 3,
//	  "name": "found",
//	  "ops": ["skip_connect", "snn_b3", "snn_b5"],
//	  "subnets": [
//	    {
//	      "name": "feature",
//	      "path": [1, 0],
//	      "cell": {
//	        "nodes": 3,
//	        "edges": [
//	          {"node": 0, "edge": 1, "from": "s1", "op": "snn_b3"},
//	          ...
//
// "levels" in place of "path" is a record of the levels that a cell was found or
// published with. Versions 1 and 2 (one chain; the path a record or to follow), and the
// format that two views had of their own, are read.
//
// [Parse] and [Load] are strict: whatever is wrong is one line that says what, where and
// what to do, and wraps [ErrInvalid]. [Resolve] takes what a user types.
package genotype
