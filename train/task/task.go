package task

import (
	"context"
	"io"
	"log/slog"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/dgs"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
)

// Task is one kind of problem. It holds no state.
type Task interface {
	// Name says what it is, such as "image classification".
	Name() string
	// Owns tells whether a configuration is one of this task.
	Owns(c *config.Config) bool
	// Score is what its networks are compared by.
	Score() Score
	// Subnets are the names of the subnets that its genotypes have.
	Subnets() []string
	// Draw draws n different genotypes of the search space of a configuration.
	Draw(c *config.Config, n int) ([]genotype.Genotype, error)
	// Adopt makes the network of a configuration the one of a genotype, where a genotype
	// decides more than its cells; log is told what that changes.
	Adopt(c *config.Config, g genotype.Genotype, log *slog.Logger) error
	// Describe is what a person is told of a genotype, in a line, Detail what machines are
	// told beside it.
	Describe(g genotype.Genotype) (line string, detail map[string]any)
	// Graph is the network of a genotype under a configuration as data, as it is trained or
	// folded to its inference form. No data are read.
	Graph(c *config.Config, g genotype.Genotype, folded bool) (graph.Table, error)
	// Open reads what a phase of a run works on. Files that cannot be read are told to
	// log, slog's default where nil.
	Open(ctx context.Context, c *config.Config, phase Phase, log *slog.Logger) (Problem, error)
	// Evaluation reads what [Evaluation] marshals to.
	Evaluation(text []byte) (Evaluation, error)
	// Report is what a report shows of its runs.
	Report(c *config.Config) Report
}

// Phase is what a problem is opened for.
type Phase string

const (
	Search Phase = "search"
	Train  Phase = "train"
	// Use is of a network that is trained: data that it can be built without are read
	// when they are asked for.
	Use Phase = "use"
)

// Score is the number, in percent, that networks are compared by; larger is better.
type Score struct {
	Key   string // in records: "top1"
	Words string // for people: "top-1"
}

// Part is a part of the data.
type Part string

const (
	Validation Part = "validation"
	Test       Part = "test"
)

// Problem is a task with the data of a run.
type Problem interface {
	// About names it, as in "search on mnist".
	About() string
	// FoundName is what a genotype is called that is found on it, unless the run has a
	// name.
	FoundName() string
	// Training are the batches that the weights learn from, Halves those of the sets A
	// and B of a search, with what is kept of them on the device.
	Training(d torch.Device) (*Loader, error)
	Halves(d torch.Device) (a, b *Loader, err error)
	// Supernet and Network are built with fresh weights.
	Supernet(d torch.Device, p search.Precision) (Supernet, error)
	Network(d torch.Device, p search.Precision, g genotype.Genotype) (Network, error)
	// Watched is the part that a network is measured on in the course of its training:
	// Validation, of which the best network is kept and measured on Test in the end; or
	// Test itself; or "", where there is none to choose on and the last network is
	// measured in the end.
	Watched() Part
}

// Model is what learns from batches.
type Model interface {
	// Loss runs the model on a batch: total is the loss that learning lowers, loss what
	// of it is recorded (both means over the batch), output what the model says. It
	// calls the same operators each time and reads nothing back, so that a step can be
	// recorded as a CUDA graph.
	Loss(p search.Pass, x Tensors) (total, loss, output torch.Tensor)
	// Right is what Score counts, summed over the batch up to a factor: a tensor of one
	// number on the device.
	Right(s *torch.Scope, output torch.Tensor, x Tensors) (sum torch.Tensor, factor float64)
	// Identity says what the weights belong to; a checkpoint of another is refused.
	Identity() string
	// Precision is the type of the convolutions.
	Precision() search.Precision
	Close() error
}

// Supernet is the network of a search.
type Supernet interface {
	Model
	Weights() *torch.Variables
	Architecture() *torch.Variables
	// View decodes the architecture as it is, with a name and an origin.
	View(name, origin string) (View, error)
}

// View is what the architecture weights of a supernet say.
type View struct {
	Genotype genotype.Genotype
	Fields   []run.Field // of the record of an epoch
	Scalars  []Scalar    // for TensorBoard, below "search/"
	Words    string      // of the line that ends an epoch
	Skips    float64     // share of skips among the kept edges
}

// Scalar is a number for TensorBoard.
type Scalar struct {
	Tag   string
	Value float64
}

// Network is the network of a genotype.
type Network interface {
	Model
	Variables() *torch.Variables
	Parameters() (int64, error)
	// SpikingLayers are the layers whose names match a pattern; see package dgs. Buffers
	// are the tensors that measuring them must not change.
	SpikingLayers(patterns ...string) ([]*dgs.Layer, error)
	Buffers() []torch.Tensor
	// Size is the number of examples of a part of the data, Unit what they are.
	Size(part Part) (n int, unit string, err error)
	// Evaluate measures the network on a part of the data, as o says.
	Evaluate(ctx context.Context, part Part, o Measuring) (Evaluation, error)
	// Export writes the network in its inference form, atomically: as ONNX where the name
	// ends in .onnx, else as a TorchScript archive. Score is that of the task in percent, nil
	// if unknown.
	Export(path, version string, score *float64) error
	// Takes says what the model takes and gives.
	Takes() string
	// Check loads the model back and compares it with the network, where data are compared
	// on at most so many examples: a script operator by operator the same, an ONNX model in
	// ONNX Runtime, where a spike next to the threshold may differ.
	Check(ctx context.Context, path string, count int) (Agreement, error)
}

// Agreement is how well an exported model and its network agree. It marshals to JSON.
type Agreement interface{ String() string }

// Measuring is how a network is measured.
type Measuring struct {
	// Final compares the network with what needs no network, where the task knows such
	// baselines.
	Final bool
	// Pictures, where given, is the run folder that gets pictures of some examples.
	Pictures *run.Folder
	// Tick, where given, is told how many examples more are done.
	Tick func(n int)
}

// Evaluation is how good a network is on a part of the data. It marshals to JSON.
type Evaluation interface {
	// Percent is the score of the task.
	Percent() float64
	// Fields are its numbers for a record, without the part of the data in front of their
	// names; those with a chart of their own go to TensorBoard.
	Fields() []Number
	// Facts are its numbers for a report, but for the score.
	Facts() []Fact
	// From notes what was measured: the file of the weights, and the epochs they were
	// trained for.
	From(checkpoint string, epoch int) Evaluation
	// String is it in a few words; Write tells it in full, Detail is the same for machines.
	String() string
	Write(w io.Writer)
	Detail() any
}

// Number is a named number of an [Evaluation].
type Number struct {
	Name  string
	Value any // a number
	Chart bool
}

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
