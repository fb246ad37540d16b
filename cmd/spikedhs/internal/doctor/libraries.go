package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/wheel"
	"github.com/spikedhs/spikedhs/train/run"
)

// Oldest is the oldest libtorch that is supported, as major and minor number.
var oldest = [2]int{1, 13}

func versions(version string) []Check {
	program := ok("program", "spikedhs %s", version)
	if revision := run.Revision(); revision != "" {
		program.Value += ", commit " + revision
	}
	return []Check{program, ok("go", "%s %s/%s", runtime.Version(), runtime.GOOS, runtime.GOARCH)}
}

func majorMinor(version string) (v [2]int, known bool) {
	n, _ := fmt.Sscanf(version, "%d.%d", &v[0], &v[1])
	return v, n == 2
}

// loadedLibraries lists the paths of the shared libraries in this process, nil
// where the system does not tell.
func loadedLibraries() []string {
	maps, _ := os.ReadFile("/proc/self/maps") // empty where there is none
	return librariesOf(string(maps))
}

func librariesOf(maps string) []string {
	var list []string
	for line := range strings.Lines(maps) {
		i := strings.IndexByte(line, '/')
		if i < 0 {
			continue
		}
		path := strings.TrimSpace(line[i:])
		if strings.Contains(filepath.Base(path), ".so") && !slices.Contains(list, path) {
			list = append(list, path)
		}
	}
	return list
}

// pathOf returns the loaded library whose file name begins with one of prefixes.
func pathOf(loaded []string, prefixes ...string) string {
	for _, prefix := range prefixes {
		for _, path := range loaded {
			if strings.HasPrefix(filepath.Base(path), prefix) {
				return path
			}
		}
	}
	return ""
}

// Shim is the path of the libspikedhs.so that this process has loaded, "" where the
// system does not tell.
func Shim() string { return pathOf(loadedLibraries(), "libspikedhs.so") }

// libraries checks the two shims and the libtorch behind them.
func libraries(loaded []string) []Check {
	if loaded == nil {
		return []Check{ok("libraries", "this system does not list the libraries of a process")}
	}
	var list []Check
	for _, name := range []string{"libspikedhs.so", "libcgotorch.so", "libtorch_cpu.so"} {
		c := ok(name, "%s", pathOf(loaded, name))
		if c.Value == "" {
			c.Value = "not loaded"
			c = c.but(Fail, "%s", wheel.Either("Install the wheel of spikedhs again.",
				"Run make build; it builds the shims and points the program at them."))
		}
		list = append(list, c)
	}
	return list
}

// blas says which library multiplies matrices.
func blas(loaded []string) Check {
	path := pathOf(loaded, "libopenblas", "libmkl", "libblis", "libatlas", "libblas")
	switch {
	case path == "" && strings.Contains(torch.Describe(), "Math Kernel Library"):
		return ok("BLAS", "MKL inside libtorch")
	case path == "":
		return ok("BLAS", "inside libtorch")
	case strings.HasPrefix(filepath.Base(path), "libblas") && !strings.Contains(path, "openblas"):
		return ok("BLAS", "reference BLAS, %s", path).but(Warn, "%s", blasAdvice())
	}
	return ok("BLAS", "%s", path)
}

// slowAdvice is for slow matrix products: not every time the library is to blame.
func slowAdvice(library Check) string {
	if library.Status == OK {
		return "Stop other programs, or take more cores: this BLAS is a fast one."
	}
	return library.Advice
}

func blasAdvice() string {
	return "Matrix products are slow with this BLAS: " + wheel.Either(
		"install a PyTorch that has MKL or OpenBLAS, such as pip's.", "run apt install libopenblas0-pthread.")
}

// libtorch says which libtorch is loaded, and of a program that pip installed how its
// libraries were chosen for it.
func libtorch() []Check {
	foundBy, library := torch.Location()
	return libtorchChecks(torch.Version(), torch.BuildVersion(), foundBy, library)
}

func libtorchChecks(version, built, foundBy, library string) []Check {
	how := "found by"
	if foundBy == wheel.Python() {
		how = "the PyTorch of"
	}
	c := ok("libtorch", "%s in %s (%s %s)", version, filepath.Dir(library), how, foundBy)
	if built != version {
		c.Value += ", built against " + built
	}
	now, known := majorMinor(version)
	then, alsoKnown := majorMinor(built)
	switch {
	case known && slices.Compare(now[:], oldest[:]) < 0:
		c = c.but(Fail, "Use libtorch %d.%d or newer: %s.", oldest[0], oldest[1], wheel.Either(
			"run pip install --upgrade torch", "set LIBTORCH to its folder and run make build"))
	case known && alsoKnown && now != then:
		c = c.but(Fail, "%s", misfit())
	}
	list := []Check{c}
	if wheel.Installed() {
		list = append(list, ok("wheel", "libraries %s", wheel.Libraries()))
	}
	if other := wheel.OtherTorch(); other != "" {
		list = append(list, ok("other PyTorch", "%s, which is not used", other))
	}
	return list
}

// misfit says what to do where the shims and libtorch do not fit each other.
func misfit() string {
	if wheel.Installed() {
		return "The libraries do not fit this PyTorch: " + rebuild() + "."
	}
	return "Run make build: the shims do not fit this libtorch."
}

// rebuild is how the shims are built anew.
func rebuild() string {
	if wheel.BuiltHere() {
		folder := filepath.Dir(Shim())
		return "remove " + folder + ", and the next start builds them again"
	}
	return wheel.Either("install the wheel of spikedhs again", "run make build")
}
