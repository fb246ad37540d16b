package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/task"
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

// cudaFacts is what was found of CUDA. What is made of it is decided by checks alone.
type cudaFacts struct {
	// missing says why no device can be used, "" where one can; card that the
	// machine has an NVIDIA device all the same.
	missing string
	card    bool
	// versions has a zero Runtime in a build without CUDA.
	versions torch.CUDAVersions
	// release is the driver's own version, such as "570.86.15", "" where unknown.
	release string
	// visible is $CUDA_VISIBLE_DEVICES, nvrtc $SPIKEDHS_NVRTC, each "" if not set;
	// hidden is true of the former set to no device.
	visible, nvrtc string
	hidden         bool
	// cache is the folder of compiled kernels, cacheError why nothing is kept there.
	cache, cacheError string
	devices           []gpu
}

// gpu is what was found of one device.
type gpu struct {
	name  string // "cuda:0"
	model string
	// capability is 0.0 in a build without the headers of CUDA, which cannot ask.
	capability  capability
	free, total int64 // bytes; zeros where they cannot be asked
	precision   search.Precision
	// code is what libtorch has compiled, nil where it does not tell.
	code []machineCode
	// kernels says why ours do not run there, "" where they do.
	kernels string
	// neurons and convolution are what trials ended with.
	neurons, convolution error
}

// findCUDA gathers the facts. Where there is no device most of them are left out.
func findCUDA() cudaFacts {
	f := cudaFacts{missing: torch.CUDAMissing()}
	_, err := os.Stat("/dev/nvidia0")
	f.card = err == nil
	if f.versions, err = torch.FindCUDA(); err != nil {
		f.versions.DriverError = err.Error()
	}
	text, _ := os.ReadFile("/proc/driver/nvidia/version") // empty where there is none
	f.release = releaseForm.FindString(string(text))
	var set bool
	f.visible, set = os.LookupEnv("CUDA_VISIBLE_DEVICES")
	f.hidden = set && (f.visible == "" || strings.HasPrefix(f.visible, "-"))
	f.nvrtc = os.Getenv("SPIKEDHS_NVRTC")
	if f.missing != "" {
		return f
	}
	f.cache = torch.KernelCache()
	f.cacheError = unwritable(f.cache)
	code := codeOf(torch.Describe())
	for i := range torch.CUDADevices() {
		f.devices = append(f.devices, examine("cuda:"+strconv.Itoa(i), code))
	}
	return f
}

// examine asks for the facts of one device and computes on it.
func examine(name string, code []machineCode) gpu {
	g := gpu{name: name, code: code}
	d, err := torch.ParseDevice(name)
	if err != nil {
		g.kernels, g.neurons, g.convolution = err.Error(), err, err
		return g
	}
	if g.model, err = torch.DeviceModel(d); err != nil {
		g.model = "name unknown"
	}
	g.capability.major, g.capability.minor = torch.Capability(d)
	if m, err := torch.DeviceMemory(d); err == nil {
		g.free, g.total = m.Free, m.Total
	}
	g.precision = task.Precision("auto", d)
	g.neurons, g.convolution = tryNeurons(d), tryConvolution(d)
	g.kernels = torch.CUDAKernelsMissing(d) // the trial compiled one more
	return g
}

// releaseForm is of the driver's version in its file in /proc.
var releaseForm = regexp.MustCompile(`\b[0-9]{3,}\.[0-9]+(\.[0-9]+)?\b`)

// unwritable says why no file can be made in a folder, which need not be there yet.
func unwritable(folder string) string {
	if folder == "" {
		return "neither SPIKEDHS_CACHE nor HOME is set"
	}
	file, err := os.CreateTemp(existingParent(filepath.Clean(folder)), ".spikedhs-*")
	if err != nil {
		return err.Error()
	}
	_ = file.Close()
	if err := os.Remove(file.Name()); err != nil {
		return err.Error()
	}
	return ""
}
