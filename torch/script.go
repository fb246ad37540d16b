package torch

// #include <stdlib.h>
// #include "spikedhs/spikedhs.h"
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"sort"
	"unsafe"
)

// Script is a TorchScript module under construction: methods as source text
// over named tensors.
type Script struct {
	// Class is the module's class name.
	Class string
	// Source holds the methods, in TorchScript, starting with "def".
	Source string
	// Tensors are registered as buffers; names are attribute names in Source.
	Tensors []Variable
	// Extra files are stored beside the code in the archive, by name.
	Extra map[string]string
}

// Save compiles the script and writes it to path.
func (b *Script) Save(path string) error {
	var names, extraNames, extraTexts stringArray
	defer names.free()
	defer extraNames.free()
	defer extraTexts.free()
	handles := make([]uint64, 0, len(b.Tensors))
	for _, t := range b.Tensors {
		names.add(t.Name)
		handles = append(handles, uint64(uintptr(handle(t.Value))))
	}
	keys := make([]string, 0, len(b.Extra))
	for key := range b.Extra {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		extraNames.add(key)
		extraTexts.add(b.Extra[key])
	}
	var err error
	cString(path, func(cPath *C.char) {
		cString(b.Class, func(cClass *C.char) {
			cString(b.Source, func(cSource *C.char) {
				err = message(C.sd_script_save(cPath, cClass, cSource, names.pointer(), words(handles), C.int64_t(len(handles)),
					extraNames.pointer(), extraTexts.pointer(), C.int64_t(len(keys))))
			})
		})
	})
	runtime.KeepAlive(b)
	if err != nil {
		return fmt.Errorf("torch: save script %s: %w", path, err)
	}
	return nil
}

// stringArray is a C array of C strings.
type stringArray struct{ list []*C.char }

func (a *stringArray) add(s string) { a.list = append(a.list, C.CString(s)) }

func (a *stringArray) free() {
	for _, c := range a.list {
		C.free(unsafe.Pointer(c))
	}
}

func (a *stringArray) pointer() **C.char {
	if len(a.list) == 0 {
		return nil
	}
	return &a.list[0]
}

// ScriptModule is a loaded TorchScript module.
type ScriptModule struct{ module C.sd_module }

// LoadScript reads a TorchScript archive onto a device and freezes it: weights
// become constants and the code is optimised for inference.
func LoadScript(path string, d Device) (*ScriptModule, error) { return loadScript(path, d, 1) }

// OpenScript reads a TorchScript archive without freezing it, so that
// [ScriptModule.Tensor] finds its weights.
func OpenScript(path string, d Device) (*ScriptModule, error) { return loadScript(path, d, 0) }

func loadScript(path string, d Device, freeze C.int) (*ScriptModule, error) {
	kind, index := deviceNumbers(d)
	m := &ScriptModule{}
	var err error
	cString(path, func(cPath *C.char) {
		err = message(C.sd_script_load(cPath, C.int(kind), C.int(index), freeze, &m.module))
	})
	if err != nil {
		return nil, fmt.Errorf("torch: load script %s: %w", path, err)
	}
	runtime.SetFinalizer(m, (*ScriptModule).Close)
	return m, nil
}

// ScriptExtra reads one extra file of a TorchScript archive, "" when absent.
func ScriptExtra(path, name string) (string, error) {
	var text *C.char
	var err error
	cString(path, func(cPath *C.char) {
		cString(name, func(cName *C.char) {
			err = message(C.sd_script_extra(cPath, cName, &text))
		})
	})
	if err != nil {
		return "", fmt.Errorf("torch: read %s of script %s: %w", name, path, err)
	}
	defer C.sd_release(unsafe.Pointer(text))
	return C.GoString(text), nil
}

// Forward calls the module's forward method, which must return one tensor.
func (m *ScriptModule) Forward(s *Scope, inputs ...Tensor) Tensor {
	if s.err != nil {
		return Tensor{}
	}
	if m.module == nil {
		return s.fail(errors.New("torch: script forward: module was closed"))
	}
	handles := make([]uint64, len(inputs))
	for i, t := range inputs {
		handles[i] = uint64(uintptr(handle(t)))
	}
	var out C.sd_tensor
	var err error
	cString("forward", func(method *C.char) {
		err = message(C.sd_script_call(m.module, method, words(handles), C.int64_t(len(handles)), &out))
	})
	runtime.KeepAlive(inputs)
	runtime.KeepAlive(m)
	if err != nil {
		return s.fail(fmt.Errorf("torch: script forward: %w", err))
	}
	return s.adopt(unsafe.Pointer(out))
}

// Tensor is a weight of a module that [OpenScript] read, by its name. It shares
// its memory with the module and outlives it.
func (m *ScriptModule) Tensor(s *Scope, name string) Tensor {
	if s.err != nil {
		return Tensor{}
	}
	if m.module == nil {
		return s.fail(errors.New("torch: script tensor: module was closed"))
	}
	var out C.sd_tensor
	var err error
	cString(name, func(cName *C.char) { err = message(C.sd_script_tensor(m.module, cName, &out)) })
	runtime.KeepAlive(m)
	if err != nil {
		return s.fail(fmt.Errorf("torch: script tensor: %w", err))
	}
	return s.adopt(unsafe.Pointer(out))
}

// Close frees the module; it may be called again.
func (m *ScriptModule) Close() error {
	if m.module != nil {
		C.sd_script_free(m.module)
		m.module = nil
		runtime.SetFinalizer(m, nil)
	}
	return nil
}
