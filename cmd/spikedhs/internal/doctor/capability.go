package doctor

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

// capability is the compute capability of a GPU.
type capability struct{ major, minor int }

func (c capability) String() string { return fmt.Sprintf("%d.%d", c.major, c.minor) }

func (c capability) below(other capability) bool {
	return c.major < other.major || c.major == other.major && c.minor < other.minor
}

// machineCode is one form in which libtorch has its kernels.
type machineCode struct {
	capability capability
	// ptx is assembled by the driver for GPUs of this capability and above. Other
	// code runs on later GPUs of the same major number.
	ptx bool
	// only is true of code that uses what no other capability has (sm_90a).
	only bool
}

func (m machineCode) runsOn(c capability) bool {
	switch {
	case m.only:
		return c == m.capability
	case m.ptx:
		return !c.below(m.capability)
	}
	return c.major == m.capability.major && !c.below(m.capability)
}

// codeOf reads the list of NVCC's flags in libtorch's description of itself.
func codeOf(description string) []machineCode {
	var list []machineCode
	for _, match := range codeForm.FindAllStringSubmatch(description, -1) {
		number, err := strconv.Atoi(match[2])
		if err != nil {
			continue
		}
		code := machineCode{capability{number / 10, number % 10}, match[1] == "compute", match[3] == "a"}
		if !slices.Contains(list, code) {
			list = append(list, code)
		}
	}
	return list
}

// codeForm is of code=sm_90, code=compute_90 and code=[compute_90,sm_90].
var codeForm = regexp.MustCompile(`(?:code=\[?|,)(sm|compute)_([0-9]{2,3})([a-z]?)`)
