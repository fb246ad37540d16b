package torch

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Variable is a named tensor of a network.
type Variable struct {
	// Name is the path of the tensor, such as "cells.0.node1.edge3.conv.weight".
	Name string
	// Value is the tensor; it lives as long as its [Variables].
	Value Tensor
	// Trainable is true for parameters, false for buffers such as running means.
	Trainable bool
	// Follows names another parameter where a training pass leaves this one out,
	// because what comes after it removes it again: see [Conv.LeaveBiasOut]. Its
	// gradient is then 0 where the other one has a gradient, and an [Optimizer] takes
	// it to be so.
	Follows string
}

// Variables is the ordered registry of a network's parameters and buffers, and
// their owner. The order is the order of creation, which is the same in every
// process (gotorch's is a map's), so optimiser states, gradient norms and
// checkpoints are reproducible.
type Variables struct {
	device Device
	scope  *Scope
	list   []Variable
	index  map[string]int

	convolutions []*Conv
	stepNorms    []*StepNorm
}

// NewVariables makes an empty registry on a device.
func NewVariables(d Device) *Variables {
	return &Variables{device: d, scope: NewInference(), index: map[string]int{}}
}

// Device is where the variables are.
func (v *Variables) Device() Device { return v.device }

// Close frees all variables.
func (v *Variables) Close() error { return v.scope.Close() }

// Err is the first error met while variables were made: networks are built
// without a check for each layer, and checked once.
func (v *Variables) Err() error { return v.scope.Err() }

// All lists parameters and buffers in order of creation.
func (v *Variables) All() []Variable { return v.list }

// Parameters lists the trainable variables in order of creation.
func (v *Variables) Parameters() []Variable {
	return slices.DeleteFunc(slices.Clone(v.list), func(x Variable) bool { return !x.Trainable })
}

// Convolutions lists the convolutions whose parameters are among v, in order of
// creation.
func (v *Variables) Convolutions() []*Conv { return v.convolutions }

// Tensors lists the values of variables.
func Tensors(list []Variable) []Tensor {
	values := make([]Tensor, len(list))
	for i, v := range list {
		values[i] = v.Value
	}
	return values
}

// Count is the number of trainable elements, without those whose name starts
// with one of the given paths.
func (v *Variables) Count(without ...string) (int64, error) {
	var total int64
	for _, x := range v.Parameters() {
		if slices.ContainsFunc(without, func(path string) bool { return strings.HasPrefix(x.Name, path+".") }) {
			continue
		}
		shape, err := Shape(x.Value)
		if err != nil {
			return 0, fmt.Errorf("torch: count %s: %w", x.Name, err)
		}
		total += elementsOf(shape)
	}
	return total, nil
}

// Lookup finds a variable by its full name.
func (v *Variables) Lookup(name string) (Variable, bool) {
	i, ok := v.index[name]
	if !ok {
		return Variable{}, false
	}
	return v.list[i], true
}

// Root is where layers register themselves.
func (v *Variables) Root() Path { return Path{variables: v} }

// add registers a tensor that v's scope owns.
func (v *Variables) add(name string, value Tensor, trainable bool) Tensor {
	if v.scope.err != nil {
		return Tensor{}
	}
	if _, ok := v.index[name]; ok {
		return v.scope.fail(fmt.Errorf("torch: two variables are named %s", name))
	}
	if trainable {
		if err := RequireGradient(value, true); err != nil {
			return v.scope.fail(fmt.Errorf("torch: variable %s: %w", name, err))
		}
	}
	v.index[name] = len(v.list)
	v.list = append(v.list, Variable{Name: name, Value: value, Trainable: trainable})
	return value
}

// ErrMismatch is the cause of an error about variables that do not fit the
// network they are loaded into.
var ErrMismatch = errors.New("the file belongs to another network")

// Assign copies values into the variables. Both must have the same names and
// shapes; everything is compared before anything is changed.
func (v *Variables) Assign(values map[string]Tensor) error {
	var missing, unknown []string
	for _, x := range v.list {
		if _, ok := values[x.Name]; !ok {
			missing = append(missing, x.Name)
		}
	}
	for name := range values {
		if _, ok := v.index[name]; !ok {
			unknown = append(unknown, name)
		}
	}
	if len(missing)+len(unknown) > 0 {
		slices.Sort(unknown)
		return fmt.Errorf("torch: assign: %d variables of the network are not in the file%s, %d of the file are not in the network%s: %w",
			len(missing), example(missing), len(unknown), example(unknown), ErrMismatch)
	}
	for _, x := range v.list {
		have, err := Shape(values[x.Name])
		if err != nil {
			return fmt.Errorf("torch: assign %s: %w", x.Name, err)
		}
		want, err := Shape(x.Value)
		if err != nil {
			return fmt.Errorf("torch: assign %s: %w", x.Name, err)
		}
		if !slices.Equal(have, want) {
			return fmt.Errorf("torch: assign: %s has shape %v in the file and %v in the network: %w", x.Name, have, want, ErrMismatch)
		}
	}
	s := NewInference()
	defer s.Close()
	for _, x := range v.list {
		s.CopyTo(x.Value, values[x.Name])
	}
	return s.Err()
}

func example(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return " (such as " + names[0] + ")"
}

// ClearGradients forgets the gradients of all parameters.
func (v *Variables) ClearGradients() error {
	for _, x := range v.Parameters() {
		if err := ClearGradient(x.Value); err != nil {
			return err
		}
	}
	return nil
}

// Path is a place in the tree of names where a layer makes its variables.
type Path struct {
	variables *Variables
	prefix    string
}

// Sub is the place named name below p.
func (p Path) Sub(name string) Path {
	return Path{variables: p.variables, prefix: p.prefix + name + "."}
}

// At is the i-th place of a numbered list below p.
func (p Path) At(name string, i int) Path { return p.Sub(name).Sub(strconv.Itoa(i)) }

// Name is the path without a dot at its end.
func (p Path) Name() string {
	return strings.TrimSuffix(p.prefix, ".")
}

// Device is where the variables are made.
func (p Path) Device() Device { return p.variables.device }

// Parameter makes a trainable float32 tensor filled by init.
func (p Path) Parameter(name string, init Init, shape ...int64) Tensor {
	v := p.variables
	return v.add(p.prefix+name, init(v.scope, v.device, shape), true)
}

// Buffer makes a tensor that is saved but not trained.
func (p Path) Buffer(name string, init Init, shape ...int64) Tensor {
	v := p.variables
	return v.add(p.prefix+name, init(v.scope, v.device, shape), false)
}

// Fail records an error of a layer that cannot be built; see [Variables.Err].
func (p Path) Fail(err error) { p.variables.scope.Fail(err) }
