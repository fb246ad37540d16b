package task

import "github.com/spikedhs/spikedhs/train/config"

// Report is what a report shows of the runs of a task, beside what all runs have.
type Report struct {
	// Examples is what is counted, such as "images".
	Examples string
	// Counted is what spikes and energy are counted for, such as "image".
	Counted string
	// About says what a run works on; of a search, or of a training.
	About func(c *config.Config, search bool) []string
	// Result is what the score of an evaluation is called; Results are the records that
	// tell of it before there is one, the best first.
	Result  string
	Results []Record
	// Watched is the number of the epochs whose best is told, and how that is called.
	Watched Line
	// Training and Search are charts, over epochs but for those of steps.
	Training, Search []Chart
	// Compared are the charts over the epochs of several runs.
	Compared []Chart
}

// Record is a number in the records of a kind.
type Record struct{ Kind, Key, Label string }

// Chart is a drawing of lines.
type Chart struct {
	Title  string
	Format Format
	Steps  bool // over the steps of a training
	Lines  []Line
}

// Line is a number of the records as a line in a chart.
type Line struct {
	Name, Key string
	Dashed    bool
	// Share is a number from 0 to 1, shown in percent.
	Share bool
}

// Format is how a number is written.
type Format string

const (
	Percent     Format = "percent"     // of numbers in percent already
	Fixed       Format = "fixed"       // four digits behind the point
	Significant Format = "significant" // four digits that mean something
	Count       Format = "count"
	Rate        Format = "rate"    // Significant, in a chart that begins at 0
	Portion     Format = "portion" // Percent, in a chart that begins at 0
)

// Fact is a number about the test data.
type Fact struct {
	Name   string
	Value  float64
	Format Format
	Unit   string
}
