package torch

// #include "spikedhs/spikedhs.h"
import "C"

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"unsafe"

	gotorch "github.com/wangkuiyi/gotorch"
)

// Tensor is gotorch's tensor: a program may pass its gotorch tensors to this
// package and the tensors made here to gotorch. The zero value is "no tensor".
//
// A tensor made by a [Scope] is freed when that scope is closed; a tensor made
// by gotorch is freed by its finalizer unless [Scope.Own] adopts it.
type Tensor = gotorch.Tensor

// Element types, numbered as in libtorch (gotorch's own constants).
const (
	Uint8    = gotorch.Byte
	Int32    = gotorch.Int
	Int64    = gotorch.Long
	Float32  = gotorch.Float
	Float64  = gotorch.Double
	Bool     = gotorch.Bool
	BFloat16 = gotorch.BFloat16
	Float16  = gotorch.Half
)

// ErrClosed is the cause of an error about a tensor that is used after its
// scope was closed, or that never existed.
var ErrClosed = errors.New("tensor is empty or its scope was closed")

// handle is the C pointer behind t, nil when there is none.
func handle(t Tensor) unsafe.Pointer {
	if t.T == nil {
		return nil
	}
	return *t.T
}

// Defined reports whether t stands for a tensor that is still alive.
func Defined(t Tensor) bool { return handle(t) != nil }

// maxDimensions is the largest number of dimensions that this package handles.
const maxDimensions = 8

// Shape returns the sizes of t, an error when t was freed.
func Shape(t Tensor) ([]int64, error) {
	var sizes [maxDimensions]int64
	var dims C.int64_t
	err := failure("shape", C.sd_tensor_shape(cTensor(t), (*C.int64_t)(&sizes[0]), C.int64_t(len(sizes)), &dims))
	runtime.KeepAlive(t)
	if err != nil {
		return nil, err
	}
	if int(dims) > len(sizes) {
		return nil, fmt.Errorf("torch: shape: %d dimensions, at most %d are supported", dims, len(sizes))
	}
	return append([]int64(nil), sizes[:dims]...), nil
}

// elementsOf is the number of elements of a shape.
func elementsOf(shape []int64) int64 {
	n := int64(1)
	for _, size := range shape {
		n *= size
	}
	return n
}

// Dtype returns the element type of t.
func Dtype(t Tensor) (int8, error) {
	var dtype C.int
	err := failure("dtype", C.sd_tensor_dtype(cTensor(t), &dtype))
	runtime.KeepAlive(t)
	return int8(dtype), err
}

// Element lists the Go types that tensors are filled from and read into.
type Element interface {
	~uint8 | ~int32 | ~int64 | ~float32 | ~float64
}

// dtypeOf is the element type that holds E without change.
func dtypeOf[E Element]() int8 {
	switch reflect.TypeFor[E]().Kind() {
	case reflect.Uint8:
		return Uint8
	case reflect.Int32:
		return Int32
	case reflect.Int64:
		return Int64
	case reflect.Float64:
		return Float64
	default:
		return Float32
	}
}

// FromSlice copies values (C order) into a new CPU tensor of the given shape.
func FromSlice[E Element](s *Scope, values []E, shape ...int64) Tensor {
	return fromHost(s, "from slice", false, values, shape)
}

// fromHost copies values into a new CPU tensor, in page-locked memory if told.
func fromHost[E Element](s *Scope, what string, pinned bool, values []E, shape []int64) Tensor {
	if s.err != nil {
		return Tensor{}
	}
	elements := elementsOf(shape)
	if elements != int64(len(values)) {
		return s.fail(fmt.Errorf("torch: %s: shape %v needs %d values, got %d", what, shape, elements, len(values)))
	}
	var data unsafe.Pointer
	if len(values) > 0 {
		data = unsafe.Pointer(&values[0])
	}
	var sizes *C.int64_t
	if len(shape) > 0 {
		sizes = (*C.int64_t)(&shape[0])
	}
	var zero E
	return s.made(what, func(out *C.sd_tensor) *C.char {
		return C.sd_tensor_from_host(data, C.int64_t(elements*int64(unsafe.Sizeof(zero))), C.int(dtypeOf[E]()),
			sizes, C.int64_t(len(shape)), flag(pinned), out)
	})
}

// ToSlice copies t, from any device and layout, into a new slice in C order.
// The element type of t must be E's; convert with [Scope.Cast] first if not.
func ToSlice[E Element](t Tensor) ([]E, error) {
	shape, err := Shape(t)
	if err != nil {
		return nil, err
	}
	dtype, err := Dtype(t)
	if err != nil {
		return nil, err
	}
	if want := dtypeOf[E](); dtype != want {
		return nil, fmt.Errorf("torch: to slice: tensor has element type %s, the slice has %s", dtypeName(dtype), dtypeName(want))
	}
	elements := elementsOf(shape)
	values := make([]E, elements)
	if elements == 0 {
		return values, nil
	}
	var zero E
	err = failure("to slice", C.sd_tensor_to_host(cTensor(t), unsafe.Pointer(&values[0]),
		C.int64_t(elements*int64(unsafe.Sizeof(zero)))))
	runtime.KeepAlive(t)
	if err != nil {
		return nil, err
	}
	return values, nil
}

// Item returns the one float32, float64 or int64 number that t holds.
func Item(t Tensor) (float64, error) {
	dtype, err := Dtype(t)
	if err != nil {
		return 0, err
	}
	switch dtype {
	case Float64:
		return item[float64](t)
	case Int64:
		return item[int64](t)
	}
	return item[float32](t)
}

func item[E Element](t Tensor) (float64, error) {
	values, err := ToSlice[E](t)
	if err != nil {
		return 0, err
	}
	if len(values) != 1 {
		return 0, fmt.Errorf("torch: item: tensor has %d elements, not one", len(values))
	}
	return float64(values[0]), nil
}

var dtypeNames = map[int8]string{
	Uint8: "uint8", Int32: "int32", Int64: "int64", Bool: "bool",
	Float16: "float16", BFloat16: "bfloat16", Float32: "float32", Float64: "float64",
}

// dtypeName names an element type in messages.
func dtypeName(dtype int8) string {
	if name, ok := dtypeNames[dtype]; ok {
		return name
	}
	return fmt.Sprintf("type %d", dtype)
}

// describe gives the type and shape of t for messages: "float32[8 3 32 32]".
func describe(t Tensor) string {
	shape, err := Shape(t)
	if err != nil {
		return "no tensor"
	}
	dtype, err := Dtype(t)
	if err != nil {
		return "no tensor"
	}
	return fmt.Sprintf("%s%v", dtypeName(dtype), shape)
}

// LiveTensors is the number of tensor handles alive in the process that this
// package made or adopted. Over training steps it must stay flat.
func LiveTensors() int64 { return int64(C.sd_tensor_live()) }
