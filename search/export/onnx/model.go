package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spikedhs/spikedhs/torch"
)

// Versions that a model names: of the format, and of the operators.
const (
	irVersion = 8
	opset     = 17
)

// Types of the elements of tensors, by ONNX's numbers.
const (
	float32s = 1
	int64s   = 7
)

// LargestFile is the size of a model in bytes above which its weights lie in a file of
// their own beside it, NAME.onnx.data: a message of protocol buffers ends at 2 GiB.
const LargestFile = 2<<30 - 64<<20

// Tensor is an input or output of a model. Dims that are free have names in place of
// sizes.
type Tensor struct {
	Name string
	Dims []any // int64 or string
}

// Model is an ONNX model.
type Model struct {
	Inputs, Outputs []Tensor

	nodes    message
	names    map[string]bool // of values
	numbers  map[string]message
	order    []string // of numbers, as they were added
	weights  []weight
	metadata map[string]string
	err      error
}

// weight is a constant of the network, perhaps in another shape.
type weight struct {
	name  string
	value torch.Tensor
	shape []int64
}

func newModel(metadata map[string]string) *Model {
	return &Model{names: map[string]bool{}, numbers: map[string]message{}, metadata: metadata}
}

// unique is a name for a value that no other has.
func (m *Model) unique(name string) string {
	free := name
	for n := 2; m.names[free]; n++ {
		free = fmt.Sprintf("%s_%d", name, n)
	}
	m.names[free] = true
	return free
}

// attribute is a named constant of a node: an int, an []int64, a float32 or a string.
type attribute struct {
	name  string
	value any
}

// add appends a node with outputs of the given names.
func (m *Model) add(op string, outputs, inputs []string, attributes ...attribute) {
	var n message
	for _, name := range inputs {
		n.text(1, name)
	}
	for _, name := range outputs {
		n.text(2, name)
	}
	n.text(3, outputs[0])
	n.text(4, op)
	for _, a := range attributes {
		var b message
		b.text(1, a.name)
		switch v := a.value.(type) {
		case int:
			b.number(3, int64(v))
			b.number(20, 2)
		case []int64:
			for _, i := range v {
				b.number(8, i)
			}
			b.number(20, 7)
		case float32:
			b.float(2, v)
			b.number(20, 1)
		case string:
			b.text(4, v)
			b.number(20, 3)
		}
		n.bytes(5, b)
	}
	m.nodes.bytes(1, n)
}

// node appends a node and gives its output.
func (m *Model) node(name, op string, inputs []string, attributes ...attribute) string {
	output := m.unique(name)
	m.add(op, []string{output}, inputs, attributes...)
	return output
}

// constant adds numbers once, and gives their name.
func (m *Model) constant(name string, kind int, shape []int64, add func(*message)) string {
	if _, known := m.numbers[name]; !known {
		var t message
		for _, n := range shape {
			t.number(1, n)
		}
		t.number(2, int64(kind))
		add(&t)
		t.text(8, name)
		m.numbers[name], m.names[name] = t, true
		m.order = append(m.order, name)
	}
	return name
}

// ints is a list of integers.
func (m *Model) ints(list ...int64) string {
	return m.constant(fmt.Sprint(list), int64s, []int64{int64(len(list))}, func(t *message) {
		for _, n := range list {
			t.number(7, n)
		}
	})
}

// int is an integer without dimensions.
func (m *Model) int(n int64) string {
	return m.constant(fmt.Sprint(n), int64s, nil, func(t *message) { t.number(7, n) })
}

// float is a number without dimensions.
func (m *Model) float(x float64) string {
	name := fmt.Sprintf("%g", float32(x))
	return m.constant("f"+name, float32s, nil, func(t *message) { t.float(4, float32(x)) })
}

// weight adds a constant of the network; a shape in place of nil is another for the same
// numbers.
func (m *Model) weight(name string, value torch.Tensor, shape []int64) string {
	if shape == nil {
		var err error
		if shape, err = torch.Shape(value); err != nil {
			m.err = errors.Join(m.err, fmt.Errorf("onnx: weight %s: %w", name, err))
		}
	}
	for _, w := range m.weights {
		if w.name == name && slices.Equal(w.shape, shape) {
			return name
		}
	}
	name = m.unique(name)
	m.weights = append(m.weights, weight{name, value, shape})
	return name
}

// size is how many bytes a weight takes.
func (w weight) size() int64 {
	n := int64(4)
	for _, d := range w.shape {
		n *= d
	}
	return n
}

// Save writes the model to a file, which takes its name at the end; above [LargestFile]
// its weights lie in FILE.data beside it.
func (m *Model) Save(path string) error { return m.save(path, LargestFile) }

func (m *Model) save(path string, largest int64) error {
	if m.err != nil {
		return m.err
	}
	total := int64(len(m.nodes))
	for _, w := range m.weights {
		total += w.size()
	}
	var text []byte
	var err error
	if total > largest {
		err = replace(path+".data", func(data *os.File) error {
			text, err = m.encode(data, filepath.Base(path)+".data")
			return err
		})
	} else {
		text, err = m.encode(nil, "")
	}
	if err == nil {
		err = replace(path, func(f *os.File) error {
			_, err := f.Write(text)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("onnx: write %s: %w", path, err)
	}
	return nil
}

// replace writes a file that is whole or not there.
func replace(path string, write func(f *os.File) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // of a failure; behind a success there is no such file
	if err := errors.Join(write(f), f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// encode is the model as bytes, its weights within, or in data, whose name is given.
func (m *Model) encode(data *os.File, name string) ([]byte, error) {
	var g message
	g = append(g, m.nodes...)
	g.text(2, "SpikeDHS")
	for _, name := range m.order {
		g.bytes(5, m.numbers[name])
	}
	at := int64(0) // in data
	for _, w := range m.weights {
		values, err := torch.ToSlice[float32](w.value)
		if err != nil {
			return nil, fmt.Errorf("weight %s: %w", w.name, err)
		}
		raw, err := binary.Append(nil, binary.LittleEndian, values)
		if err != nil || int64(len(raw)) != w.size() {
			return nil, fmt.Errorf("weight %s has %d bytes, its shape %v wants %d", w.name, len(raw), w.shape, w.size())
		}
		var t message
		for _, n := range w.shape {
			t.number(1, n)
		}
		t.number(2, float32s)
		t.text(8, w.name)
		if data != nil {
			if _, err := data.Write(raw); err != nil {
				return nil, err
			}
			t.pair(13, "location", name)
			t.pair(13, "offset", fmt.Sprint(at))
			t.pair(13, "length", fmt.Sprint(len(raw)))
			t.number(14, 1)
			at += int64(len(raw))
		} else {
			t.bytes(9, raw)
		}
		g.bytes(5, t)
	}
	for _, t := range m.Inputs {
		g.bytes(11, t.encode())
	}
	for _, t := range m.Outputs {
		g.bytes(12, t.encode())
	}

	var b message
	b.number(1, irVersion)
	b.text(2, "SpikeDHS")
	b.bytes(7, g)
	var operators message
	operators.text(1, "")
	operators.number(2, opset)
	b.bytes(8, operators)
	for _, key := range slices.Sorted(maps.Keys(m.metadata)) {
		b.pair(14, key, m.metadata[key])
	}
	return b, nil
}

// encode is the tensor's name, type and shape.
func (t Tensor) encode() message {
	var shape message
	for _, d := range t.Dims {
		var dim message
		switch d := d.(type) {
		case int64:
			dim.number(1, d)
		case string:
			dim.text(2, d)
		}
		shape.bytes(1, dim)
	}
	var tensor, kind, info message
	tensor.number(1, float32s)
	tensor.bytes(2, shape)
	kind.bytes(1, tensor)
	info.text(1, t.Name)
	info.bytes(2, kind)
	return info
}
