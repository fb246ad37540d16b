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
	err := message(C.sd_tensor_shape(C.sd_tensor(handle(t)),
		(*C.int64_t)(&sizes[0]), C.int64_t(len(sizes)), &dims))
	runtime.KeepAlive(t)
	if err != nil {
		return nil, fmt.Errorf("torch: shape: %w", err)
	}
	if int(dims) > len(sizes) {
		return nil, fmt.Errorf("torch: shape: %d dimensions, at most %d are supported", dims, len(sizes))
	}
	return append([]int64(nil), sizes[:dims]...), nil
}

// Dtype returns the element type of t.
func Dtype(t Tensor) (int8, error) {
	var dtype C.int
	err := message(C.sd_tensor_dtype(C.sd_tensor(handle(t)), &dtype))
	runtime.KeepAlive(t)
	if err != nil {
		return 0, fmt.Errorf("torch: dtype: %w", err)
	}
	return int8(dtype), nil
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
	elements := int64(1)
	for _, n := range shape {
		elements *= n
	}
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
	var out C.sd_tensor
	var zero E
	bytes, dtype, dims := C.int64_t(elements*int64(unsafe.Sizeof(zero))), C.int(dtypeOf[E]()), C.int64_t(len(shape))
	var err error
	if pinned {
		err = message(C.sd_tensor_from_host_pinned(data, bytes, dtype, sizes, dims, &out))
	} else {
		err = message(C.sd_tensor_from_host(data, bytes, dtype, sizes, dims, &out))
	}
	if err != nil {
		return s.fail(fmt.Errorf("torch: %s: %w", what, err))
	}
	return s.adopt(unsafe.Pointer(out))
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
	elements := int64(1)
	for _, n := range shape {
		elements *= n
	}
	values := make([]E, elements)
	if elements == 0 {
		return values, nil
	}
	var zero E
	err = message(C.sd_tensor_to_host(C.sd_tensor(handle(t)), unsafe.Pointer(&values[0]),
		C.int64_t(elements*int64(unsafe.Sizeof(zero)))))
	runtime.KeepAlive(t)
	if err != nil {
		return nil, fmt.Errorf("torch: to slice: %w", err)
	}
	return values, nil
}

// Item returns the one float32 or float64 number that t holds.
func Item(t Tensor) (float64, error) {
	dtype, err := Dtype(t)
	if err != nil {
		return 0, err
	}
	var value float64
	var n int
	switch dtype {
	case Float64:
		var v []float64
		if v, err = ToSlice[float64](t); len(v) == 1 {
			value = v[0]
		}
		n = len(v)
	case Int64:
		var v []int64
		if v, err = ToSlice[int64](t); len(v) == 1 {
			value = float64(v[0])
		}
		n = len(v)
	default:
		var v []float32
		if v, err = ToSlice[float32](t); len(v) == 1 {
			value = float64(v[0])
		}
		n = len(v)
	}
	if err != nil {
		return 0, err
	}
	if n != 1 {
		return 0, fmt.Errorf("torch: item: tensor has %d elements, not one", n)
	}
	return value, nil
}

// dtypeName names an element type in messages.
func dtypeName(dtype int8) string {
	switch dtype {
	case Uint8:
		return "uint8"
	case Int32:
		return "int32"
	case Int64:
		return "int64"
	case Float32:
		return "float32"
	case Float64:
		return "float64"
	case Bool:
		return "bool"
	case BFloat16:
		return "bfloat16"
	case Float16:
		return "float16"
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
