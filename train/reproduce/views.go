package reproduce

import (
	"fmt"
	"math"
	"slices"
	"strings"

	texts "github.com/spikedhs/spikedhs/train/task"
)

// paperColumn is the data set of the paper that a column compares with: the result's
// own, or CIFAR-10 where the paper has none on it.
func (r *Result) paperColumn() (name string, same bool) {
	for _, row := range r.Rows {
		if _, ok := row.Paper[r.Data]; ok {
			return r.Data, true
		}
	}
	return cifar10, false
}

// titles are how data sets are written.
var titles = map[string]string{
	"fashion-mnist": "Fashion-MNIST", "mnist": "MNIST", cifar10: "CIFAR-10", cifar100: "CIFAR-100", imagenet: "ImageNet", events: eventsTitle,
}

func title(data string) string {
	if t, ok := titles[data]; ok {
		return t
	}
	return data
}

// heading is the title of a table of the result.
func (r *Result) heading(what string) string {
	return fmt.Sprintf("%s (%s, scale %s, %s)", what, title(r.Data), r.Scale, texts.Plural(len(r.Seeds), "seed"))
}

// whole is the mean of a whole number over runs.
func whole(s Summary) string {
	if s.N == 0 {
		return absent
	}
	return texts.Thousands(int64(math.Round(s.Mean)))
}

func parameters(o Outcome) (float64, bool) { return float64(o.Parameters), true }
func steps(o Outcome) (float64, bool)      { return float64(o.Steps), true }
func passes(o Outcome) (float64, bool)     { return float64(o.SearchPasses), true }
func minutes(o Outcome) (float64, bool)    { return o.Seconds / 60, true }

func energy(a *Activity) float64     { return a.Energy }
func firingRate(a *Activity) float64 { return a.FiringRate }

// metric is a number of the evaluation by the name that the task has for it.
func metric(name string) func(Outcome) (float64, bool) {
	return func(o Outcome) (float64, bool) { x, ok := o.Metrics[name].(float64); return x, ok }
}

// of makes a number of an activity one of an outcome.
func of(number func(*Activity) float64) func(Outcome) (float64, bool) {
	return func(o Outcome) (float64, bool) {
		if o.Activity == nil {
			return 0, false
		}
		return number(o.Activity), true
	}
}

// notes are what is to be said below every table of accuracies of classification.
func (r *Result) notes() []string { return r.notesOn("images") }

// notesOn says it of what the accuracy is a share of.
func (r *Result) notesOn(counted string) []string {
	return []string{fmt.Sprintf("Mean and standard deviation (of the sample) over %s, in percent of the test %s. "+
		"A number behind the accuracy in brackets is the count of runs, where some are missing. %s", texts.Plural(len(r.Seeds), "seed"), counted, r.with())}
}

// with says what the runs with DGS have in common with the others.
func (r *Result) with() string {
	for _, row := range r.Rows {
		if row.summary(passes).Mean > 0 {
			return "All rows take the same number of training steps; DGS passes are passes of a batch through the network that DGS spends beside them; those through single layers, which cost little, are in results.csv."
		}
	}
	return "All rows take the same number of training steps."
}

// accuracy is the mean accuracy of a row, with the number of runs where some are
// missing.
func (r *Result) accuracy(row *RowResult) string {
	if row == nil {
		return absent
	}
	text := row.Top1.String()
	if n := row.Top1.N; n > 0 && n < len(r.Seeds) {
		text += fmt.Sprintf(" (%d)", n)
	}
	return text
}

// accuracyTables are table 1 and what DGS did in it.
func accuracyTables(r *Result) []Table {
	return append([]Table{accuracyTable(r)}, filled(temperatureTable(r, "Temperatures that DGS found"))...)
}

// filled are the tables that have lines.
func filled(tables ...Table) []Table {
	return slices.DeleteFunc(tables, func(t Table) bool { return len(t.Rows) == 0 })
}

// view is a column of a table with a line for each row.
type view struct {
	Column
	cell func(*RowResult) string
}

func words(name string, cell func(*RowResult) string) view   { return view{Column{name, true}, cell} }
func numeric(name string, cell func(*RowResult) string) view { return view{Column{name, false}, cell} }

func (r *RowResult) label() string { return r.Label }

// table shows views of some rows.
func (r *Result) table(what string, rows []*RowResult, views []view, notes ...string) Table {
	t := Table{Title: r.heading(what), Notes: notes}
	for _, v := range views {
		t.Columns = append(t.Columns, v.Column)
	}
	for _, row := range rows {
		var line []string
		for _, v := range views {
			line = append(line, v.cell(row))
		}
		t.Rows = append(t.Rows, line)
	}
	return t
}

// rows are the results of the rows of some names, of all without any.
func (r *Result) rows(only ...string) (list []*RowResult) {
	for i := range r.Rows {
		if len(only) == 0 || slices.Contains(only, r.Rows[i].Name) {
			list = append(list, &r.Rows[i])
		}
	}
	return list
}

// compared are the views of a table of accuracies, with more behind the accuracy.
func (r *Result) compared(accuracy string, more ...view) []view {
	count := func(name string, value func(Outcome) (float64, bool)) view {
		return numeric(name, func(row *RowResult) string { return whole(row.summary(value)) })
	}
	return slices.Concat([]view{
		words("network", (*RowResult).label), words("what", func(row *RowResult) string { return row.About }),
		count("parameters", parameters), count("steps", steps), count("DGS passes", passes),
		numeric(accuracy, r.accuracy),
	}, more, []view{numeric("minutes", mean("%.1f", 1, minutes))})
}

// accuracyTable is the accuracy of all rows of classification.
func accuracyTable(r *Result) Table {
	paper, same := r.paperColumn()
	t := r.table(r.Title, r.rows(), r.compared("accuracy",
		numeric("paper, "+title(paper), func(row *RowResult) string { return number(row.Paper, paper) })), r.notes()...)
	if !same {
		t.Notes = append(t.Notes, fmt.Sprintf("The paper has no numbers on %s; those on CIFAR-10 stand here to compare the order of the rows, not the numbers.", title(r.Data)))
	}
	return t
}

// mean shows the mean alone, by a factor.
func mean(format string, factor float64, value func(Outcome) (float64, bool)) func(*RowResult) string {
	return func(row *RowResult) string {
		s := row.summary(value)
		if s.N == 0 {
			return absent
		}
		return fmt.Sprintf(format, factor*s.Mean)
	}
}

func number(paper map[string]Number, data string) string {
	if n, ok := paper[data]; ok {
		return n.String()
	}
	return absent
}

// surrogateTables are both halves of table 3.
func surrogateTables(r *Result) []Table {
	t := Table{
		Title: r.heading("Table 3: surrogate gradients"),
		Columns: []Column{
			{"surrogate", true}, {"without DGS", false}, {"with DGS", false}, {"difference", false}, {"DGS passes", false},
			{paperWithout, false}, {"with", false}, {"difference", false},
		},
		Notes: append(r.notes(), paperTask),
	}
	for _, f := range families {
		without, with := r.row(f.name), r.row(withDGS(f.name))
		if without == nil && with == nil {
			continue
		}
		line := []string{f.label, r.accuracy(without), r.accuracy(with), difference(without, with), absent, absent, absent, absent}
		if with != nil {
			line[4] = whole(with.summary(passes))
		}
		if s, ok := paperFamilies[f.name]; ok {
			line[5], line[6], line[7] = fmt.Sprintf("%.1f", s.without), fmt.Sprintf("%.1f", s.with), fmt.Sprintf("%+.1f", s.with-s.without)
		}
		t.Rows = append(t.Rows, line)
	}
	return append([]Table{t}, filled(energyTable(r, "dspike", "ann"))...)
}

// difference is the mean of the differences, with DGS less without, over the seeds
// that both have.
func difference(without, with *RowResult) string {
	var differences []float64
	for _, a := range without.ended() {
		for _, b := range with.ended() {
			if a.Seed == b.Seed {
				differences = append(differences, b.Top1-a.Top1)
			}
		}
	}
	return Summarize(differences).text("%+.2f", "%.2f")
}

// energyTable is operations and energy of an image, of the rows of the given names that
// have some.
func energyTable(r *Result, names ...string) Table {
	rows := slices.DeleteFunc(r.rows(names...), func(row *RowResult) bool { return row.summary(of(energy)).N == 0 })
	number := func(name, format string, factor float64, value func(*Activity) float64) view {
		return numeric(name, mean(format, factor, of(value)))
	}
	fired := number("firing rate [%]", "%.1f", 100, firingRate)
	spiking := fired.cell
	fired.cell = func(row *RowResult) string {
		if row.analog() {
			return absent
		}
		return spiking(row)
	}
	return r.table("Table 3 and figure 5: operations and energy of one image", rows, []view{
		words("network", (*RowResult).label),
		numeric("T", (*RowResult).timeSteps),
		fired,
		number("additions [M]", "%.2f", 1e-6, func(a *Activity) float64 { return a.Additions }),
		number("MACs [M]", "%.2f", 1e-6, func(a *Activity) float64 { return a.MACs }),
		number("energy [mJ]", "%.4f", 1, energy),
		number("same network as ANN [mJ]", "%.4f", 1, func(a *Activity) float64 { return a.ANNEnergy }),
		number("ratio", "%.1f", 1, func(a *Activity) float64 { return a.Ratio }),
		numeric("accuracy", r.accuracy),
	}, "Additions are firing rate x T x MACs of the layer (section 5 of the paper), counted on the test images; 0.9 pJ an addition, 4.6 pJ a multiply-accumulate, 45 nm. "+
		paperEnergy)
}

// analog tells whether the row is an ANN.
func (r *RowResult) analog() bool { return slices.Contains(r.Settings, analog[0]) }

// timeSteps is T of the row.
func (r *RowResult) timeSteps() string {
	if ended := r.ended(); len(ended) > 0 {
		return fmt.Sprint(ended[0].timeSteps)
	}
	return absent
}

// searchTable is the search quality; the paper trained no random cells.
func searchTable(r *Result) []Table {
	t := r.table(r.Title, r.rows(), r.compared("accuracy"), r.notes()...)
	var random []float64
	better := 0
	searched := r.row("searched")
	for _, row := range r.rows() {
		if strings.HasPrefix(row.Name, "random-") && row.Top1.N > 0 {
			random = append(random, row.Top1.Mean)
			if searched != nil && searched.Top1.N > 0 && searched.Top1.Mean > row.Top1.Mean {
				better++
			}
		}
	}
	if len(random) > 0 {
		s := Summarize(random)
		note := fmt.Sprintf("Mean over the %s: %.2f, standard deviation from cell to cell %.2f, best %.2f.",
			texts.Plural(len(random), "random cell"), s.Mean, s.Deviation, slices.Max(random))
		if searched != nil && searched.Top1.N > 0 {
			note += fmt.Sprintf(" The searched cell has %s and is better than %d of %d.", searched.Top1, better, len(random))
		}
		t.Notes = append(t.Notes, note)
	}
	if s := r.Search; s != nil && s.Ended {
		t.Notes = append(t.Notes, fmt.Sprintf("The search took %.1f minutes with seed %d, which the budget of the trainings does not contain, and found: %s.",
			s.Seconds/60, r.Seeds[0], strings.Join(s.Cells, "; ")))
	}
	return []Table{t}
}
