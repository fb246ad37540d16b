package genotype_test

import (
	"fmt"
	"os"

	"github.com/spikedhs/spikedhs/search/genotype"
)

// A preset is ready to be trained.
func Example() {
	g, err := genotype.Preset("spikedhs-cla-n3")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(genotype.Text(g))
	// Output:
	// spikedhs-cla-n3: 3 nodes, downsample nearest, path 0 0 1 1 1 2 2 2, hash f74981d4a01c
	// n0 = b3(s1) + b3(s0)
	// n1 = b5(s1) + b3(s0)
	// n2 = b3(n0) + b3(n1)
	// out = concat(n0, n1, n2)
}

// One row of alpha per edge, one column per operation.
func ExampleDecodeCell() {
	alpha := [][]float64{
		{0, 1, 0}, // s0 to n0
		{0, 0, 2}, // s1 to n0
		{0, 2, 0}, // s0 to n1
		{9, 0, 1}, // s1 to n1: almost surely skip, so a weak edge
		{3, 3, 0}, // n0 to n1: a tie, which the lower operation wins
	}
	cell, err := genotype.DecodeCell(alpha, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, line := range cell.Equations() {
		fmt.Println(line)
	}
	fmt.Println("skips:", genotype.SkipShare(cell))
	// Output:
	// n0 = b5(s1) + b3(s0)
	// n1 = b3(s0) + skip(n0)
	// skips: 0.25
}

func ExampleEdgeEnds() {
	for edge := range genotype.Edges(2) {
		src, node := genotype.EdgeEnds(edge)
		fmt.Printf("edge %d: %s to n%d\n", edge, src, node)
	}
	// Output:
	// edge 0: s0 to n0
	// edge 1: s1 to n0
	// edge 2: s0 to n1
	// edge 3: s1 to n1
	// edge 4: n0 to n1
}

// Published genotypes are rows of edge and operation.
func ExampleNewCell() {
	cell, err := genotype.NewCell([][2]int{{1, 1}, {0, 1}, {3, 2}, {2, 1}, {7, 1}, {8, 1}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range cell.Inputs(1) {
		fmt.Println(e.Source(), e.Op, e.Op.Temperature())
	}
	// Output:
	// s1 snn_b5 5
	// s0 snn_b3 3
}

// A fault is reported with its place and a remedy.
func ExampleParse() {
	_, err := genotype.Parse([]byte(`{
		"format": "spikedhs-genotype", "version": 3, "name": "mine",
		"ops": ["skip_connect", "snn_b3", "snn_b5"],
		"subnets": [{"name": "normal", "cell": {"nodes": 1, "edges": [
			{"node": 0, "edge": 1, "from": "s1", "op": "snn_b3"},
			{"node": 0, "edge": 2, "from": "s0", "op": "snn_b3"}
		]}}]
	}`))
	fmt.Println(err)
	// Output:
	// invalid genotype: normal.edges[1].edge: 2 is out of range; a cell with 1 node(s) has edges 0..1
}

// smallest is a genotype of one node.
func smallest() genotype.Genotype {
	cell := genotype.Cell{Nodes: 1, Edges: []genotype.Edge{{Index: 1, Op: genotype.B5}, {Index: 0, Op: genotype.B3}}}
	g, err := genotype.New("smallest", cell, nil)
	if err != nil {
		panic(err)
	}
	return g
}

func ExampleGenotype_Encode() {
	data, err := smallest().Encode()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(data))
	// Output:
	// {
	//   "format": "spikedhs-genotype",
	//   "version": 3,
	//   "name": "smallest",
	//   "ops": ["skip_connect", "snn_b3", "snn_b5"],
	//   "subnets": [
	//     {
	//       "name": "normal",
	//       "cell": {
	//         "nodes": 1,
	//         "edges": [
	//           {"node": 0, "edge": 1, "from": "s1", "op": "snn_b5"},
	//           {"node": 0, "edge": 0, "from": "s0", "op": "snn_b3"}
	//         ]
	//       }
	//     }
	//   ]
	// }
}

func ExampleDOT() {
	if err := genotype.DOT(os.Stdout, smallest()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// digraph "smallest" {
	//   label="smallest\n1 node, downsample nearest, hash 9bf21a466fa4"; labelloc=t; rankdir=LR; fontname="sans-serif";
	//   node [shape=box, style=rounded, fontname="sans-serif"];
	//   edge [fontname="sans-serif"];
	//   subgraph "cluster_normal" {
	//     label="cell";
	//     "normal.s0" [label="s0"];
	//     "normal.s1" [label="s1"];
	//     "normal.n0" [label="n0"];
	//     "normal.out" [label="out"];
	//     "normal.s1" -> "normal.n0" [label="b5", color="#b34700", fontcolor="#b34700"];
	//     "normal.s0" -> "normal.n0" [label="b3", color="#0067a8", fontcolor="#0067a8"];
	//     "normal.n0" -> "normal.out" [color="#8a94a3"];
	//   }
	// }
}
