package torch

// #include <stdlib.h>
// #include "spikedhs/spikedhs.h"
import "C"

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"unsafe"
)

// Named gives an argument by its name in the operator's schema.
type Named struct {
	Name  string
	Value any
}

// operators caches the handles of operators by name.
var operators sync.Map // string -> C.sd_operator

// operator finds "aten::softmax.int": name space, name, and overload if any.
func operator(name string) (C.sd_operator, error) {
	if op, ok := operators.Load(name); ok {
		return op.(C.sd_operator), nil
	}
	base, overload, _ := strings.Cut(name, ".")
	var op C.sd_operator
	var err error
	cString(base, func(cBase *C.char) {
		cString(overload, func(cOverload *C.char) {
			err = message(C.sd_operator_find(cBase, cOverload, &op))
		})
	})
	if err != nil {
		return nil, err
	}
	operators.Store(name, op)
	return op, nil
}

// Call runs any operator of libtorch or of this project by its schema name,
// such as "aten::softmax.int". Arguments follow the schema's order; trailing
// ones may be left out when they have a default, and [Named] gives one by
// name. Go types: Tensor, int, int64, float64, bool, string, []int64,
// []float64, []bool, []Tensor, Device, and nil for None. Results are Tensor,
// []Tensor, int64, float64, bool or nil. After a failure (see [Scope.Err]) it
// returns nil.
func (s *Scope) Call(name string, args ...any) []any {
	if s.err != nil {
		return nil
	}
	results, err := s.call(name, args)
	if err != nil {
		s.Fail(fmt.Errorf("torch: %s: %w (arguments: %s)", name, err, describeArguments(args)))
		return nil
	}
	return results
}

// Tensor runs an operator whose first result is a tensor and returns that.
func (s *Scope) Tensor(name string, args ...any) Tensor {
	results := s.Call(name, args...)
	if len(results) == 0 {
		return Tensor{}
	}
	t, _ := results[0].(Tensor)
	return t
}

func (s *Scope) call(name string, args []any) ([]any, error) {
	op, err := operator(name)
	if err != nil {
		return nil, err
	}
	s.words = s.words[:0]
	for _, arg := range args {
		if s.words, err = encode(s.words, arg); err != nil {
			return nil, err
		}
	}
	var out *C.uint64_t
	var n C.int64_t
	err = message(C.sd_operator_call(op, words(s.words), C.int64_t(len(s.words)), flag(s.record), &out, &n))
	runtime.KeepAlive(args)
	if err != nil {
		return nil, err
	}
	defer C.sd_release(unsafe.Pointer(out))
	return s.decode(unsafe.Slice((*uint64)(out), int(n)))
}

// encode appends one argument in the encoding of spikedhs.h.
func encode(w []uint64, arg any) ([]uint64, error) {
	switch v := arg.(type) {
	case nil:
		return append(w, C.SD_NONE), nil
	case Tensor:
		if v.T == nil || *v.T == nil {
			return nil, ErrClosed
		}
		return append(w, C.SD_TENSOR, uint64(uintptr(*v.T))), nil
	case int:
		return append(w, C.SD_INT, uint64(v)), nil
	case int64:
		return append(w, C.SD_INT, uint64(v)), nil
	case int8: // an element type
		return append(w, C.SD_INT, uint64(int64(v))), nil
	case float64:
		return append(w, C.SD_DOUBLE, math.Float64bits(v)), nil
	case bool:
		return append(w, C.SD_BOOL_VALUE, uint64(flag(v))), nil
	case []int64:
		w = append(w, C.SD_INT_LIST, uint64(len(v)))
		for _, x := range v {
			w = append(w, uint64(x))
		}
		return w, nil
	case []float64:
		w = append(w, C.SD_DOUBLE_LIST, uint64(len(v)))
		for _, x := range v {
			w = append(w, math.Float64bits(x))
		}
		return w, nil
	case []bool:
		w = append(w, C.SD_BOOL_LIST, uint64(len(v)))
		for _, x := range v {
			w = append(w, uint64(flag(x)))
		}
		return w, nil
	case []Tensor:
		w = append(w, C.SD_TENSOR_LIST, uint64(len(v)))
		for _, t := range v { // the zero Tensor is None, where the schema takes it
			if t.T != nil && *t.T == nil {
				return nil, ErrClosed
			}
			w = append(w, uint64(uintptr(handle(t))))
		}
		return w, nil
	case string:
		return encodeText(append(w, C.SD_STRING), v), nil
	case Device:
		kind, index := deviceNumbers(v)
		return append(w, C.SD_DEVICE, uint64(kind), uint64(int64(index))), nil
	case Named:
		return encode(encodeText(append(w, C.SD_NAME), v.Name), v.Value)
	default:
		return nil, fmt.Errorf("argument of Go type %T cannot be passed", arg)
	}
}

func encodeText(w []uint64, text string) []uint64 {
	w = append(w, uint64(len(text)))
	for i := 0; i < len(text); i += 8 {
		var word [8]byte
		copy(word[:], text[i:])
		w = append(w, *(*uint64)(unsafe.Pointer(&word[0])))
	}
	return w
}

// decode turns encoded results into Go values; tensors become owned by s.
func (s *Scope) decode(w []uint64) ([]any, error) {
	var results []any
	for len(w) > 0 {
		tag := w[0]
		w = w[1:]
		switch tag {
		case C.SD_NONE:
			results = append(results, nil)
			continue
		case C.SD_TENSOR:
			results = append(results, s.adopt(pointer(w[0])))
		case C.SD_INT:
			results = append(results, int64(w[0]))
		case C.SD_DOUBLE:
			results = append(results, math.Float64frombits(w[0]))
		case C.SD_BOOL_VALUE:
			results = append(results, w[0] != 0)
		case C.SD_TENSOR_LIST:
			n := int(w[0])
			list := make([]Tensor, n)
			for i := range list {
				list[i] = s.adopt(pointer(w[1+i]))
			}
			results = append(results, list)
			w = w[n:]
		default:
			return nil, fmt.Errorf("unknown result tag %d", tag)
		}
		w = w[1:]
	}
	return results, nil
}

// pointer turns a word that C wrote back into the C pointer it is.
func pointer(word uint64) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&word))
}

// describeArguments lists types and shapes for a message.
func describeArguments(args []any) string {
	var parts []string
	for _, arg := range args {
		switch v := arg.(type) {
		case Tensor:
			parts = append(parts, describe(v))
		case []Tensor:
			list := make([]string, 0, 3)
			for i, t := range v {
				if i == 3 {
					list = append(list, "...")
					break
				}
				list = append(list, describe(t))
			}
			parts = append(parts, "("+strings.Join(list, ", ")+")")
		case nil:
			parts = append(parts, "none")
		case Device:
			parts = append(parts, DeviceName(v))
		case Named:
			parts = append(parts, v.Name+"="+describeArguments([]any{v.Value}))
		default:
			parts = append(parts, fmt.Sprint(v))
		}
	}
	return strings.Join(parts, ", ")
}
