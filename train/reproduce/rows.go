package reproduce

import (
	"fmt"
	"slices"
)

// Settings that make a row what it is, in one place for all experiments.
const (
	nodes3 = "network.nodes=3"
	nodes4 = "network.nodes=4"
	wide3  = "train.width={width3}"
	wide4  = "train.width={width4}"

	onStem  = `dgs.layers=["{stem}"]`
	onCell  = `dgs.layers=["cell{deepest}.node0"]`
	nowhere = `dgs.layers=[]`
	onAuto  = `dgs.layers=["auto"]`
	noDecay = "network.tau=0"
)

// analog makes the ANN control: ReLU in place of neurons, one time step.
var analog = []string{"network.activation=relu", "network.steps=1"}

// analog tells whether the row is an ANN.
func (r Row) analog() bool { return slices.Contains(r.Settings, analog[0]) }

// n3 and n4 are the networks of three and four nodes, with more settings.
func n3(row Row, more ...string) Row {
	row.Cell, row.Settings = Cell{Preset: cellN3}, append([]string{nodes3, wide3}, more...)
	return row
}

func n4(row Row, more ...string) Row {
	row.Cell, row.Settings = Cell{Preset: cellN4}, append([]string{nodes4, wide4}, more...)
	return row
}

// The rows that several experiments have.
func rowN3() Row {
	return n3(Row{Name: "n3", Label: "SpikeDHS-CLA (n3)", About: "three nodes a cell", Paper: accuracies(95.35, 0.05, 76.15, 0.20)})
}

func rowN4() Row {
	return n4(Row{Name: "n4", Label: "SpikeDHS-CLA (n4)", About: "four nodes a cell", Paper: with(accuracies(94.34, 0.06, 75.70, 0.14), 67.96)})
}

func rowN3S1() Row {
	return n3(Row{Name: "n3s1", Label: "SpikeDHS-CLA (n3s1)", About: "DGS on the first stem", DGS: true,
		Paper: accuracies(95.36, 0.01, 76.25, 0.10)}, onStem)
}

func rowANN() Row {
	return n3(Row{Name: "ann", Label: "ANN (n3)", About: "ReLU, T = 1, same architecture", Paper: accuracies(95.88, 0, 0, 0)}, analog...)
}

// table1 is the accuracy of classification networks.
func table1() Experiment {
	return Experiment{
		Name: "table1", Title: "Table 1: image classification",
		About: "Networks with three and four nodes a cell, with and without DGS, beside the ANN of the same architecture and the binary neuron.",
		Rows: []Row{
			rowN4(), rowN3(),
			n4(Row{Name: "n4s1", Label: "SpikeDHS-CLA (n4s1)", About: "DGS on the first stem", DGS: true,
				Paper: with(accuracies(94.68, 0.05, 76.03, 0.20), 68.64)}, onStem),
			rowN3S1(),
			n3(Row{Name: "n3c5", Label: "SpikeDHS-CLA (n3c5)", About: "DGS on node 0 of the first cell of the lowest resolution", DGS: true,
				Paper: accuracies(95.50, 0.03, 0, 0)}, onCell),
			n3(Row{Name: "n3auto", Label: "SpikeDHS-CLA (n3, auto)", About: "DGS on the layers it chooses", DGS: true}, onAuto),
			n3(Row{Name: "binary", Label: "binary neuron (n3)", About: "tau = 0"}, noDecay),
			rowANN(),
		},
		tables: accuracyTables, figures: bars(imageAccuracy),
	}
}

// families are the surrogate gradients of table 3, Dspike first.
var families = []struct{ name, label string }{
	{"dspike", "Dspike"}, {"triangular", "Triangle"}, {"arctan", "Arctan"}, {"superspike", "Superspike"},
	{"rectangular", "Rectangular"}, {"exponential", "Exponential"},
}

// table3 is the surrogate families with and without DGS, and the energy.
func table3() Experiment {
	e := Experiment{
		Name: "table3", Title: "Table 3: surrogate gradients with and without DGS; energy",
		About: paperSurrogates +
			"Operations and energy are those of the same network, spiking and as an ANN.",
		tables: surrogateTables, figures: bars(imageAccuracy),
	}
	for _, f := range families {
		var surrogate []string
		if f.name != "dspike" { // the default, so that the row is that of table 1
			surrogate = []string{"network.surrogate=" + f.name}
		}
		e.Rows = append(e.Rows,
			n3(Row{Name: f.name, Label: f.label, About: "without DGS"}, surrogate...),
			n3(Row{Name: withDGS(f.name), Label: f.label + " with DGS", About: "DGS on the first stem", DGS: true}, append(surrogate, onStem)...))
	}
	ann := rowANN()
	ann.Paper = nil
	e.Rows = append(e.Rows, ann)
	return e
}

func withDGS(family string) string { return family + "-dgs" }

// fig4 is the course of a training with DGS.
func fig4() Experiment {
	return Experiment{
		Name: "fig4", Title: "Figure 4: the course of a training with DGS",
		About: paperCourse,
		Rows:  []Row{rowN3(), rowN3S1()}, tables: courseTable, figures: courseFigures,
	}
}

// fig5 is how sparse the networks are.
func fig5() Experiment {
	return Experiment{
		Name: "fig5", Title: "Figure 5: sparsity",
		About: "Share of neurons that fire in a time step, layer by layer, over the test images.",
		Rows:  []Row{rowN3(), rowN4()}, tables: firingTable, figures: firingFigures,
	}
}

// RandomCells is the number of random cells that the searched one is compared with.
const RandomCells = 5

// searchQuality compares the searched cell with random ones.
func searchQuality() Experiment {
	e := Experiment{
		Name: "search", Title: "Search quality: the searched cell against random ones",
		About: "Every cell is trained with the same budget. The cells were drawn before any was trained, and all that were drawn are shown.",
		Rows: []Row{
			{Name: "searched", Label: "searched", About: "found by a search of this data set", Settings: []string{wide3}, Cell: Cell{Searched: true}},
		},
		tables: searchTable, figures: bars(imageAccuracy),
	}
	for i := range RandomCells {
		e.Rows = append(e.Rows, Row{
			Name: fmt.Sprintf("random-%02d", i+1), Label: fmt.Sprintf("random %d", i+1), About: "drawn at random",
			Settings: []string{wide3}, Cell: Cell{Random: i + 1},
		})
	}
	published := n3(Row{Name: "published", Label: "published (n3)", About: "the paper's cell, for comparison"})
	e.Rows = append(e.Rows, published)
	return e
}
