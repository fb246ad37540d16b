package onnxruntime

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/spikedhs/spikedhs/torch/wheel"
)

// Variable names the library, or the folder that it lies in.
const Variable = "ONNXRUNTIME"

// ErrNotFound is the cause of an error about a library that is not there.
var ErrNotFound = errors.New("ONNX Runtime was not found: pip install onnxruntime, or name its library in " + Variable)

// pattern is what the library's files are called.
const pattern = "libonnxruntime.so*"

// Find gives the library: that of [Variable], of the pip package of the Python that this
// program was installed with, of $PYTHON or python3, or of the system.
func Find() (string, error) {
	if named := os.Getenv(Variable); named != "" {
		if info, err := os.Stat(named); err == nil && !info.IsDir() {
			return named, nil
		}
		if path := newest(named); path != "" {
			return path, nil
		}
		return "", fmt.Errorf("onnxruntime: %s=%s: no %s is there", Variable, named, pattern)
	}
	for _, python := range []string{wheel.Python(), os.Getenv("PYTHON"), "python3"} {
		if path := newest(packageOf(python)); path != "" {
			return path, nil
		}
	}
	folders := append(filepath.SplitList(os.Getenv("LD_LIBRARY_PATH")), "/usr/local/lib", "/usr/lib", "/usr/lib64")
	multiarch, _ := filepath.Glob("/usr/lib/*-linux-gnu") // the pattern is well formed
	for _, folder := range append(folders, multiarch...) {
		if path := newest(folder); path != "" {
			return path, nil
		}
	}
	return "", fmt.Errorf("onnxruntime: %w", ErrNotFound)
}

// packageOf is the folder of libraries of a Python's package onnxruntime, "" without one.
func packageOf(python string) string {
	if python == "" {
		return ""
	}
	const ask = `import importlib.util as u; s = u.find_spec("onnxruntime"); print(s.submodule_search_locations[0] if s else "")`
	c := exec.Command(python, "-c", ask)
	c.Dir = os.TempDir() // modules of this folder are not meant
	text, err := c.Output()
	folder := strings.TrimSpace(string(text))
	if err != nil || folder == "" {
		return ""
	}
	return filepath.Join(folder, "capi")
}

// newest is the library in a folder, the last of several versions, "" without one.
func newest(folder string) string {
	if folder == "" {
		return ""
	}
	list, _ := filepath.Glob(filepath.Join(folder, pattern)) // a folder with brackets has none
	if len(list) == 0 {
		return ""
	}
	return slices.MaxFunc(list, func(a, b string) int { return len(a) - len(b) })
}

// start loads the library, once in a process.
var start = sync.OnceValue(func() error {
	path, err := Find()
	if err != nil {
		return err
	}
	ort.SetSharedLibraryPath(path)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return fmt.Errorf("onnxruntime: load %s (version 1.23 or newer is needed): %w", path, err)
	}
	return nil
})

// Version is that of the library.
func Version() (string, error) {
	if err := start(); err != nil {
		return "", err
	}
	return ort.GetVersion(), nil
}
