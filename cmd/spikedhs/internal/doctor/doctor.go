// Package doctor looks at the machine, libtorch and the data, and says what to do
// about whatever would make SpikeDHS fail or slow. Where there are CUDA devices it
// also compares the versions of libtorch's CUDA, of the driver and of NVRTC, and
// computes a little on each device.
package doctor

import (
	"fmt"

	"github.com/spikedhs/spikedhs/torch"
)

// Status is the outcome of a check.
type Status string

const (
	OK   Status = "ok"
	Warn Status = "warn" // it works, but slower or not in full
	Fail Status = "fail" // it does not work
)

// Check is one line of the report.
type Check struct {
	Name   string `json:"name"`
	Status Status `json:"status"`
	// Value is what was found.
	Value string `json:"value"`
	// Advice says what to do, in one sentence; empty where all is well.
	Advice string `json:"advice,omitempty"`
}

func ok(name, format string, args ...any) Check {
	return Check{Name: name, Status: OK, Value: fmt.Sprintf(format, args...)}
}

// but turns a check into a warning or failure with an advice.
func (c Check) but(status Status, format string, args ...any) Check {
	c.Status, c.Advice = status, fmt.Sprintf(format, args...)
	return c
}

// Examine makes all checks; it takes about a second, and some more for each GPU that
// kernels are compiled for. version is that of the program.
func Examine(version string) []Check {
	defer torch.Pin()()
	loaded := loadedLibraries()
	var list []Check
	list = append(list, versions(version)...)
	list = append(list, libtorch()...)
	list = append(list, libraries(loaded)...)
	list = append(list, processor()...)
	list = append(list, threads(), load(), blas(loaded))
	list = append(list, speed(loaded)...)
	list = append(list, findCUDA().checks()...)
	list = append(list, dataSets()...)
	return append(list, resources()...)
}
