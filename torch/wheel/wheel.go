// Package wheel knows whether pip installed this program, and what its launcher chose.
//
// The launcher of a wheel (scripts/wheel) looks for the PyTorch of its environment, puts
// the folders of that PyTorch and of the shims in LD_LIBRARY_PATH, tells in a few
// variables what it chose, and becomes this program. One that make build made has none
// of these variables: it finds its libraries by itself.
package wheel

import (
	"os"
	"strings"
)

// What the launcher tells.
const (
	librariesVariable = "SPIKEDHS_LIBRARIES"   // "prebuilt TAG" or "built here in FOLDER, since ..."
	pythonVariable    = "SPIKEDHS_PYTHON"      // the interpreter whose PyTorch is used
	otherVariable     = "SPIKEDHS_OTHER_TORCH" // another PyTorch on its path
)

// Installed reports whether this program is that of a wheel.
func Installed() bool { return Libraries() != "" }

// Libraries says how the launcher came by the shims: "prebuilt 2.15-cuda-abi1" for
// those of the wheel, "built here ..." for those that it built at the first start. It is
// "" for a program that is of no wheel.
func Libraries() string { return os.Getenv(librariesVariable) }

// BuiltHere reports whether the launcher built the shims.
func BuiltHere() bool { return strings.HasPrefix(Libraries(), "built here") }

// Python is the interpreter whose PyTorch is used, "" where none was chosen.
func Python() string { return os.Getenv(pythonVariable) }

// OtherTorch is the folder of another PyTorch on the path of that interpreter, which is
// not used, "" where there is none.
func OtherTorch() string { return os.Getenv(otherVariable) }

// Either is a text for those who installed a wheel, or another for those who build the
// program from its sources.
func Either(installed, built string) string {
	if Installed() {
		return installed
	}
	return built
}
