package search

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// ProgramFile is the name under which an archive carries [Program.Description].
const ProgramFile = "program.json"

// Versions of descriptions: pathFormat is written where a cell is at a finer level
// than what it reads, plainFormat else. Both are read.
const (
	plainFormat = 1
	pathFormat  = 2
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
	Times   int      `json:"times,omitempty"`
	Classes int      `json:"classes,omitempty"`
	// Name is that of a layer of neurons.
	Name string `json:"name,omitempty"`
}

// Description is the program's list of instructions as JSON: with the tensors
// of the exported script it makes the program again, see [LoadProgram].
func (p *Program) Description() (string, error) {
	d := description{Format: plainFormat, Steps: p.steps, Tau: p.neuron.Tau, Threshold: p.neuron.Threshold}
	for i, instruction := range p.list {
		o, err := p.describe(instruction)
		if err != nil {
			return "", err
		}
		if _, up := instruction.(enlarge); up {
			d.Format = pathFormat
		}
		o.Name = p.names[value(i)]
		for _, v := range instruction.reads() {
			o.Reads = append(o.Reads, int(v))
		}
		d.List = append(d.List, o)
	}
	text, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		return "", fmt.Errorf("search: describe program: %w", err)
	}
	return string(text), nil
}

func (p *Program) describe(instruction instruction) (operational, error) {
	named := func(op string, tensors ...int) operational {
		o := operational{Op: op}
		for _, i := range tensors {
			o.Tensors = append(o.Tensors, p.tensors[i].Name)
		}
		return o
	}
	switch i := instruction.(type) {
	case timeFirst:
		return named("time_first"), nil
	case prepare:
		o := named("prepare", i.mean, i.deviation)
		o.Pad = int64(i.pad)
		return o, nil
	case convolve:
		o := named("convolve", i.weight, i.bias)
		o.Stride, o.Pad = i.stride, i.pad
		return o, nil
	case fire:
		return named("fire"), nil
	case rectify:
		return named("rectify"), nil
	case repeat:
		return named("repeat"), nil
	case add:
		o := named("add")
		for _, part := range i.parts {
			o.Start, o.Length = append(o.Start, part.start), append(o.Length, part.length)
		}
		return o, nil
	case concatenate:
		return named("concatenate"), nil
	case halve:
		o := named("halve")
		o.Times = i.times
		return o, nil
	case enlarge:
		o := named("enlarge")
		o.Pad, o.Stride = i.pad, i.divisor
		return o, nil
	case pool:
		return named("pool"), nil
	case classify:
		o := named("classify", i.weight, i.bias)
		o.Classes = i.classes
		return o, nil
	}
	return operational{}, fmt.Errorf("search: describe program: no description of a %T", instruction)
}

// LoadProgram makes a program from its description. tensors gives the constants
// by name; the program keeps handles of its own.
func LoadProgram(text string, tensors func(s *torch.Scope, name string) torch.Tensor) (*Program, error) {
	var d description
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return nil, fmt.Errorf("search: %w: %w", ErrDescription, err)
	}
	if d.Format < plainFormat || d.Format > pathFormat {
		return nil, fmt.Errorf("search: %w: it has format %d, this program knows up to %d", ErrDescription, d.Format, pathFormat)
	}
	if d.Steps <= 0 || len(d.List) == 0 {
		return nil, fmt.Errorf("search: %w: %d steps, %d instructions", ErrDescription, d.Steps, len(d.List))
	}
	p := newProgram(&Options{Steps: d.Steps, Neuron: spike.LIF{Tau: d.Tau, Threshold: d.Threshold}})
	for n, o := range d.List {
		made, err := p.restore(n, o, tensors)
		if err == nil {
			err = p.scope.Err()
		}
		if err != nil {
			p.Close()
			return nil, fmt.Errorf("search: %w: instruction %d, %q: %w", ErrDescription, n, o.Op, err)
		}
		v := p.add(made)
		if o.Name != "" {
			p.named(o.Name, v)
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

func (p *Program) restore(n int, o operational, tensors func(*torch.Scope, string) torch.Tensor) (instruction, error) {
	shape, known := shapeOf[o.Op]
	switch {
	case !known:
		return nil, errors.New("not known")
	case len(o.Reads) != shape.reads && !(shape.reads < 0 && len(o.Reads) > 0), len(o.Tensors) != shape.tensors:
		return nil, fmt.Errorf("reads %d values and %d tensors", len(o.Reads), len(o.Tensors))
	}
	var reads []value
	for _, v := range o.Reads {
		if v < int(input) || v >= n {
			return nil, fmt.Errorf("reads value %d", v)
		}
		reads = append(reads, value(v))
	}
	var constants []int
	for _, name := range o.Tensors {
		constants = append(constants, p.tensor(name, tensors(p.scope, name)))
	}
	switch o.Op {
	case "time_first":
		return timeFirst{reads[0]}, nil
	case "prepare":
		return prepare{x: reads[0], pad: int(o.Pad), mean: constants[0], deviation: constants[1]}, nil
	case "convolve":
		return convolve{x: reads[0], weight: constants[0], bias: constants[1], stride: o.Stride, pad: o.Pad}, nil
	case "fire":
		return fire{reads[0]}, nil
	case "rectify":
		return rectify{reads[0]}, nil
	case "repeat":
		return repeat{reads[0]}, nil
	case "add":
		if len(o.Start) != len(reads) || len(o.Length) != len(reads) {
			return nil, errors.New("ranges of channels do not match the values")
		}
		var sum add
		for k, v := range reads {
			sum.parts = append(sum.parts, part{x: v, start: o.Start[k], length: o.Length[k]})
		}
		return sum, nil
	case "concatenate":
		return concatenate{reads}, nil
	case "halve":
		return halve{reads[0], o.Times}, nil
	case "enlarge":
		if o.Pad < 0 || o.Stride < 1 {
			return nil, fmt.Errorf("border %d, divisor %d", o.Pad, o.Stride)
		}
		return enlarge{reads[0], o.Pad, o.Stride}, nil
	case "pool":
		return pool{reads[0]}, nil
	}
	return classify{x: reads[0], weight: constants[0], bias: constants[1], classes: o.Classes}, nil
}
