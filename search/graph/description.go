package graph

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// ProgramFile is the name under which an archive carries [Program.Description].
const ProgramFile = "program.json"

// Versions of descriptions: groupFormat is written where a convolution has groups,
// pathFormat where a cell is at a finer level than what it reads, plainFormat else. All
// are read.
const (
	plainFormat = 1
	pathFormat  = 2
	groupFormat = 3
)

// ErrDescription is the cause of an error about a description that is no
// program.
var ErrDescription = errors.New("invalid description of a program")

// description is a program without its tensors, which are named.
type description struct {
	Format    int           `json:"format"`
	Steps     int           `json:"steps"`
	Tau       float64       `json:"tau"`
	Threshold float64       `json:"threshold"`
	List      []operational `json:"list"`
}

// operational is one instruction. Values are numbers of instructions, -1 is the
// image.
type operational struct {
	Op string `json:"op"`
	// Reads are the values that are read. Start and Length, where given, are the
	// range of channels of each.
	Reads  []int `json:"reads"`
	Start  []int `json:"start,omitempty"`
	Length []int `json:"length,omitempty"`
	// Tensors are the names of the constants in order.
	Tensors []string `json:"tensors,omitempty"`
	Stride  int64    `json:"stride,omitempty"`
	Pad     int64    `json:"pad,omitempty"`
	Groups  int64    `json:"groups,omitempty"`
	Times   int      `json:"times,omitempty"`
	Classes int      `json:"classes,omitempty"`
	// Name is that of a layer of neurons.
	Name string `json:"name,omitempty"`
}

// Description is the program's list of instructions as JSON: with the tensors
// of the exported script it makes the program again, see [Load].
func (p *Program) Description() (string, error) {
	d := description{Format: plainFormat, Steps: p.Steps, Tau: p.Neuron.Tau, Threshold: p.Neuron.Threshold}
	for _, n := range p.nodes {
		o, err := p.describe(n.Op)
		if err != nil {
			return "", err
		}
		if _, up := n.Op.(Enlarge); up {
			d.Format = max(d.Format, pathFormat)
		}
		if o.Groups > 1 {
			d.Format = groupFormat
		}
		o.Name = n.Name
		for _, v := range Reads(n.Op) {
			o.Reads = append(o.Reads, int(v))
		}
		d.List = append(d.List, o)
	}
	text, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		return "", fmt.Errorf("graph: describe program: %w", err)
	}
	return string(text), nil
}

func (p *Program) describe(o Op) (operational, error) {
	named := func(op string, constants ...int) operational {
		described := operational{Op: op}
		for _, i := range constants {
			described.Tensors = append(described.Tensors, p.constants[i].Name)
		}
		return described
	}
	switch o := o.(type) {
	case StepsFirst:
		return named("time_first"), nil
	case Prepare:
		d := named("prepare", o.Mean, o.Deviation)
		d.Pad = int64(o.Pad)
		return d, nil
	case Conv:
		if o.Planes > 0 {
			break
		}
		d := named("convolve", o.Weight, o.Bias)
		d.Stride, d.Pad, d.Groups = o.Stride, o.Pad, o.Groups
		return d, nil
	case Fire:
		return named("fire"), nil
	case Rectify:
		return named("rectify"), nil
	case Repeat:
		return named("repeat"), nil
	case Sum:
		d := named("add")
		for _, part := range o.Parts {
			d.Start, d.Length = append(d.Start, part.Start), append(d.Length, part.Length)
		}
		return d, nil
	case Concat:
		return named("concatenate"), nil
	case Halve:
		d := named("halve")
		d.Times = o.Times
		return d, nil
	case Enlarge:
		d := named("enlarge")
		d.Pad, d.Stride = o.Pad, o.Divisor
		return d, nil
	case Pool:
		return named("pool"), nil
	case Classify:
		d := named("classify", o.Weight, o.Bias)
		d.Classes = o.Classes
		return d, nil
	}
	return operational{}, fmt.Errorf("graph: describe program: no description of a %T", o)
}

// Load makes a program from its description. tensors gives the constants
// by name; the program keeps handles of its own.
func Load(text string, tensors func(s *torch.Scope, name string) torch.Tensor) (*Program, error) {
	var d description
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return nil, fmt.Errorf("graph: %w: %w", ErrDescription, err)
	}
	if d.Format < plainFormat || d.Format > groupFormat {
		return nil, fmt.Errorf("graph: %w: it has format %d, this program knows up to %d", ErrDescription, d.Format, groupFormat)
	}
	if d.Steps <= 0 || len(d.List) == 0 {
		return nil, fmt.Errorf("graph: %w: %d steps, %d instructions", ErrDescription, d.Steps, len(d.List))
	}
	p := New(Spec{
		Steps: d.Steps, Neuron: spike.LIF{Tau: d.Tau, Threshold: d.Threshold}, Inputs: []string{"images"}, CellNodes: true,
	})
	for n, o := range d.List {
		made, err := p.restore(n, o, tensors)
		if err == nil {
			err = p.scope.Err()
		}
		if err != nil {
			p.Close()
			return nil, fmt.Errorf("graph: %w: instruction %d, %q: %w", ErrDescription, n, o.Op, err)
		}
		if neurons, ok := made.(Fire); ok {
			p.Fire(o.Name, neurons.X)
		} else {
			p.Add(made)
		}
	}
	return p, nil
}

// shapeOf are the numbers of values and constants that an instruction has; -1
// is one or more.
var shapeOf = map[string]struct{ reads, tensors int }{
	"time_first": {1, 0}, "prepare": {1, 2}, "convolve": {1, 2}, "fire": {1, 0}, "rectify": {1, 0}, "repeat": {1, 0}, "add": {-1, 0},
	"concatenate": {-1, 0}, "halve": {1, 0}, "enlarge": {1, 0}, "pool": {1, 0}, "classify": {1, 2},
}

func (p *Program) restore(n int, o operational, tensors func(*torch.Scope, string) torch.Tensor) (Op, error) {
	shape, known := shapeOf[o.Op]
	switch {
	case !known:
		return nil, errors.New("not known")
	case len(o.Reads) != shape.reads && !(shape.reads < 0 && len(o.Reads) > 0), len(o.Tensors) != shape.tensors:
		return nil, fmt.Errorf("reads %d values and %d tensors", len(o.Reads), len(o.Tensors))
	}
	var reads []Value
	for _, v := range o.Reads {
		if v < -1 || v >= n {
			return nil, fmt.Errorf("reads value %d", v)
		}
		reads = append(reads, Value(v))
	}
	var constants []int
	for _, name := range o.Tensors {
		constants = append(constants, p.Constant(name, tensors(p.scope, name)))
	}
	x := reads[0]
	switch o.Op {
	case "time_first":
		return StepsFirst{x}, nil
	case "prepare":
		return Prepare{X: x, Pad: int(o.Pad), Mean: constants[0], Deviation: constants[1]}, nil
	case "convolve":
		return Conv{X: x, Weight: constants[0], Bias: constants[1], Stride: o.Stride, Pad: o.Pad, Groups: o.Groups, Whole: p.image(x)}, nil
	case "fire":
		return Fire{X: x}, nil
	case "rectify":
		return Rectify{x}, nil
	case "repeat":
		return Repeat{x}, nil
	case "add":
		if len(o.Start) != len(reads) || len(o.Length) != len(reads) {
			return nil, errors.New("ranges of channels do not match the values")
		}
		var sum Sum
		for k, v := range reads {
			sum.Parts = append(sum.Parts, Part{v, o.Start[k], o.Length[k]})
		}
		return sum, nil
	case "concatenate":
		return Concat{reads}, nil
	case "halve":
		return Halve{x, o.Times}, nil
	case "enlarge":
		if o.Pad < 0 || o.Stride < 1 {
			return nil, fmt.Errorf("border %d, divisor %d", o.Pad, o.Stride)
		}
		return Enlarge{x, o.Pad, o.Stride}, nil
	case "pool":
		return Pool{x}, nil
	}
	return Classify{X: x, Weight: constants[0], Bias: constants[1], Classes: o.Classes}, nil
}
