package graph

import (
	"reflect"

	"github.com/spikedhs/spikedhs/torch"
)

// Value is the number of the node that makes a tensor. Inputs have negative numbers.
type Value int

// Input is input i of a program, in the order of [Spec].Inputs.
func Input(i int) Value { return Value(-1 - i) }

// input is the number of the input that v is; false: a node makes it.
func (v Value) input() (int, bool) { return -1 - int(v), v < 0 }

// Op is what a node does: it makes one tensor from others. An operation knows how libtorch
// computes it; everything else that can be asked of one is a walk
// over the nodes in the place that asks. It is a struct: what it reads are its exported fields
// of type [Value], in order, also of structs and lists in it.
type Op interface {
	// Run computes the result.
	Run(r *Run) torch.Tensor
}

// Map is the same operation on other values: at is called with each value that it
// reads, in order.
func Map(o Op, at func(Value) Value) Op {
	v := reflect.New(reflect.TypeOf(o)).Elem()
	v.Set(reflect.ValueOf(o))
	mapValues(v, at)
	return v.Interface().(Op)
}

func mapValues(v reflect.Value, at func(Value) Value) {
	switch {
	case v.Type() == reflect.TypeFor[Value]():
		v.SetInt(int64(at(Value(v.Int()))))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				mapValues(v.Field(i), at)
			}
		}
	case v.Kind() == reflect.Slice:
		list := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(list, v)
		for i := range list.Len() {
			mapValues(list.Index(i), at)
		}
		v.Set(list)
	}
}

// Cutter is an operation of a graph whose result is read in parts of one width: it cuts them
// itself, at once. Without parts the result is read as a whole.
type Cutter interface {
	Op
	Cut(r *Run, y torch.Tensor) []torch.Tensor
}

// Nested is an operation that is a graph of its own, whose inputs are what the operation
// reads, in order.
type Nested interface {
	Op
	Inside() *Graph
}

// Reads are the values that an operation reads, in order.
func Reads(o Op) []Value {
	var list []Value
	Map(o, func(v Value) Value {
		list = append(list, v)
		return v
	})
	return list
}

// Node is an operation of a program. Name is that of a layer of neurons, else empty.
type Node struct {
	Name string
	Op   Op
}

// list are nodes in the order in which they run.
type list struct {
	nodes []Node
	reads [][]Value // by node, what its operation reads
	last  []int     // the node that reads a value last
}

func (l *list) add(n Node) Value {
	l.nodes, l.reads = append(l.nodes, n), append(l.reads, Reads(n.Op))
	at := len(l.nodes) - 1
	l.last = append(l.last, at)
	for _, v := range l.reads[at] {
		if v >= 0 {
			l.last[v] = at
		}
	}
	return Value(at)
}
