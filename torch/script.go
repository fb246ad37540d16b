package torch

// #include <stdlib.h>
// #include "spikedhs/spikedhs.h"
import "C"

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
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
	for _, t := range b.Tensors {
		names.add(t.Name)
	}
	tensors := handles(Tensors(b.Tensors))
	for _, key := range slices.Sorted(maps.Keys(b.Extra)) {
		extraNames.add(key)
		extraTexts.add(b.Extra[key])
	}
	var err error
	cString(path, func(cPath *C.char) {
		cString(b.Class, func(cClass *C.char) {
			cString(b.Source, func(cSource *C.char) {
				err = failure("save script "+path, C.sd_script_save(cPath, cClass, cSource, names.pointer(), words(tensors),
					C.int64_t(len(tensors)), extraNames.pointer(), extraTexts.pointer(), C.int64_t(len(b.Extra))))
			})
		})
	})
	runtime.KeepAlive(b)
	return err
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
		err = failure("load script "+path, C.sd_script_load(cPath, C.int(kind), C.int(index), freeze, &m.module))
	})
	if err != nil {
		return nil, err
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
			err = failure("read "+name+" of script "+path, C.sd_script_extra(cPath, cName, &text))
		})
	})
	if err != nil {
		return "", err
	}
	return ownText(text), nil
}

// Forward calls the module's forward method, which must return one tensor.
func (m *ScriptModule) Forward(s *Scope, inputs ...Tensor) Tensor {
	defer runtime.KeepAlive(inputs)
	return m.made(s, "script forward", "forward", func(method *C.char, out *C.sd_tensor) *C.char {
		return C.sd_script_call(m.module, method, words(handles(inputs)), C.int64_t(len(inputs)), out)
	})
}

// Tensor is a weight of a module that [OpenScript] read, by its name. It shares
// its memory with the module and outlives it.
func (m *ScriptModule) Tensor(s *Scope, name string) Tensor {
	return m.made(s, "script tensor", name, func(cName *C.char, out *C.sd_tensor) *C.char {
		return C.sd_script_tensor(m.module, cName, out)
	})
}

// made takes over the tensor that a C function makes of the module and a name.
func (m *ScriptModule) made(s *Scope, what, name string, call func(name *C.char, out *C.sd_tensor) *C.char) (t Tensor) {
	if m.module == nil && s.err == nil {
		return s.fail(fmt.Errorf("torch: %s: module was closed", what))
	}
	defer runtime.KeepAlive(m)
	cString(name, func(cName *C.char) {
		t = s.made(what, func(out *C.sd_tensor) *C.char { return call(cName, out) })
	})
	return t
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
