package reproduce

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spikedhs/spikedhs/search/genotype"
)

// ErrUnknown is wrapped by errors about an experiment, scale, data set or row that
// does not exist. Their text lists those that do.
var ErrUnknown = errors.New("unknown")

// Experiment is a table or figure of the paper.
type Experiment struct {
	// Name is what a user types, and the name of the folder.
	Name string
	// Title and About say what it is, in a few words and in a sentence or two.
	Title string
	About string
	// Rows are the networks that are trained.
	Rows []Row

	tables  func(*Result) []Table
	figures func(*Result) ([]Figure, error)
}

// Row is a network that an experiment trains with every seed.
type Row struct {
	// Name is what a user types, and the name of the folder.
	Name string
	// Label stands in tables, as the paper writes it; About says what is special.
	Label string
	About string
	// Settings go over those of the scale, in the form section.key=value. In them
	// {deepest} stands for the first cell of the lowest resolution, {width3} and {width4}
	// for the widths F of networks with three and four nodes, {stem} for the first stem.
	Settings []string
	// DGS says that the settings of the scale about DGS apply.
	DGS bool
	// Cell is the architecture.
	Cell Cell
	// Paper is what the paper reports, by data set.
	Paper map[string]Number
}

// Cell says which architecture a row trains: one of the three.
type Cell struct {
	// Preset is the name of a preset of package genotype.
	Preset string
	// Searched is the cell that the experiment's own search finds.
	Searched bool
	// Random is the number, from 1 on, of a random cell.
	Random int
}

// Number is a number of the paper: an accuracy in percent and its standard
// deviation, 0 where the paper has none.
type Number struct {
	Mean      float64 `json:"mean"`
	Deviation float64 `json:"deviation,omitempty"`
}

// Experiments are all experiments, in the order of the paper.
func Experiments() []Experiment {
	return []Experiment{table1(), table3(), fig4(), fig5(), searchQuality(), disparity()}
}

// ExperimentNames are the names of all experiments.
func ExperimentNames() []string {
	return names(Experiments(), func(e Experiment) string { return e.Name })
}

// FindExperiment returns an experiment by its name.
func FindExperiment(name string) (Experiment, error) {
	return find("experiment", name, Experiments(), func(e Experiment) string { return e.Name })
}

// has tells whether the cells of the presets that rows name have such subnets.
func (e Experiment) has(subnets []string) bool {
	return !slices.ContainsFunc(e.Rows, func(r Row) bool {
		g, err := genotype.Preset(r.Cell.Preset)
		return r.Cell.Preset != "" && (err != nil || !g.Has(subnets...))
	})
}

// RowNames are the names of the experiment's rows.
func (e Experiment) RowNames() []string {
	return names(e.Rows, func(r Row) string { return r.Name })
}

// rows are those that are asked for, all of them where only is empty.
func (e Experiment) rows(only []string) ([]Row, error) {
	if len(only) == 0 {
		return e.Rows, nil
	}
	for _, name := range only {
		if _, err := find("row of "+e.Name, name, e.Rows, func(r Row) string { return r.Name }); err != nil {
			return nil, err
		}
	}
	// In the order of the table, whatever the order asked for.
	return slices.DeleteFunc(slices.Clone(e.Rows), func(r Row) bool { return !slices.Contains(only, r.Name) }), nil
}

func names[T any](all []T, name func(T) string) []string {
	list := make([]string, len(all))
	for i, one := range all {
		list[i] = name(one)
	}
	return list
}

// find looks for the one of a name.
func find[T any](what, wanted string, all []T, name func(T) string) (T, error) {
	i := slices.IndexFunc(all, func(one T) bool { return name(one) == wanted })
	if i < 0 {
		var none T
		return none, fmt.Errorf("%w %s %q; choose one of %s", ErrUnknown, what, wanted, strings.Join(names(all, name), ", "))
	}
	return all[i], nil
}
