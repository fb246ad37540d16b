package doctor

import (
	"fmt"
	"strings"

	"github.com/spikedhs/spikedhs/torch/wheel"
)

// checks says what the facts mean.
func (f cudaFacts) checks() []Check {
	if f.missing != "" {
		return f.withoutDevice()
	}
	v := f.versions
	built := "libtorch has CUDA " + v.Runtime.String()
	if v.CuDNN != "" {
		built += " and cuDNN " + v.CuDNN
	}
	list := []Check{ok("CUDA", "%d devices, %s", len(f.devices), built), f.driver(), f.compiler(), f.keeping()}
	for _, g := range f.devices {
		list = append(list, f.device(g), f.kernels(g), f.convolution(g))
	}
	return list
}

// withoutDevice says why nothing is computed on a GPU.
func (f cudaFacts) withoutDevice() []Check {
	device := ok("CUDA", "not used: %s", f.missing)
	kernels := ok("CUDA kernels", "not needed without CUDA")
	if f.versions.Runtime.Major == 0 {
		if f.card {
			device = device.but(Warn, "This machine has an NVIDIA device: %s.", wheel.Either(
				"run pip install --force-reinstall torch, which brings a PyTorch with CUDA",
				"set LIBTORCH to a libtorch with CUDA and run make build"))
		}
		return []Check{device, kernels}
	}
	driver := f.driver()
	switch {
	case driver.Status != OK: // its advice is there
	case f.hidden:
		device = device.but(Warn, "Unset CUDA_VISIBLE_DEVICES: it hides every GPU.")
	case f.visible != "":
		device = device.but(Warn, "Run nvidia-smi: CUDA_VISIBLE_DEVICES=%s must name GPUs that it lists.", f.visible)
	default:
		device = device.but(Warn, "Run nvidia-smi: it must list a GPU and no error.")
	}
	return []Check{device, driver, kernels}
}

// oldestDriver is the first driver that runs programs of a major version of CUDA.
var oldestDriver = map[int]string{11: "450.80", 12: "525.60", 13: "580"}

// driver checks that the driver is there and knows libtorch's CUDA: one of an older
// major version runs nothing of it.
func (f cudaFacts) driver() Check {
	const name = "NVIDIA driver"
	v := f.versions
	if v.Driver.Major == 0 {
		return ok(name, "not found: %s", v.DriverError).but(Warn, "Install the NVIDIA driver, "+
			"or start the container with its GPUs; without a GPU this libtorch computes on the CPU.")
	}
	c := ok(name, "CUDA %s", v.Driver)
	if f.release != "" {
		c.Value = f.release + ", " + c.Value
	}
	if v.Driver.Major < v.Runtime.Major {
		wanted, known := oldestDriver[v.Runtime.Major]
		if !known {
			wanted = fmt.Sprintf("one that knows CUDA %d", v.Runtime.Major)
		}
		c.Value += fmt.Sprintf(", too old for libtorch's CUDA %s", v.Runtime)
		return c.but(Warn, "Update the NVIDIA driver to %s or newer, or install a PyTorch built for CUDA %d.",
			wanted, v.Driver.Major)
	}
	if v.DriverError != "" {
		c.Value += ", but it does not start: " + v.DriverError
	}
	return c
}

// compiler checks NVRTC, which compiles our kernels.
func (f cudaFacts) compiler() Check {
	const name = "NVRTC"
	v := f.versions
	switch {
	case v.NVRTC.Major == 0 && f.nvrtc != "":
		return ok(name, "SPIKEDHS_NVRTC=%s is none", f.nvrtc).
			but(Warn, "Set SPIKEDHS_NVRTC to a libnvrtc.so, or unset it to take the one beside PyTorch.")
	case v.NVRTC.Major == 0:
		return ok(name, "not found").
			but(Warn, "Run pip install %s, or set SPIKEDHS_NVRTC to a libnvrtc.so.", nvrtcPackage(v.Runtime.Major))
	case v.NVRTC.Major > v.Driver.Major:
		return ok(name, "%s, newer than the driver's CUDA %s, %s", v.NVRTC, v.Driver, v.NVRTCPath).
			but(Warn, "Run pip install %s, or set SPIKEDHS_NVRTC to its libnvrtc.so.", nvrtcPackage(v.Driver.Major))
	}
	return ok(name, "%s, %s", v.NVRTC, v.NVRTCPath)
}

// nvrtcPackage is the pip package of NVRTC; up to CUDA 12 names had the version.
func nvrtcPackage(major int) string {
	if major >= 13 {
		return fmt.Sprintf("'nvidia-cuda-nvrtc==%d.*'", major)
	}
	return fmt.Sprintf("nvidia-cuda-nvrtc-cu%d", major)
}

// keeping checks the folder of compiled kernels.
func (f cudaFacts) keeping() Check {
	const name = "kernel cache"
	if f.cacheError == "" {
		return ok(name, "%s", f.cache)
	}
	return ok(name, "not kept: %s", f.cacheError).
		but(Warn, "Set SPIKEDHS_CACHE to a folder that can be written: "+
			"now every program compiles its kernels again, for seconds.")
}

// unknown reports that the build cannot ask for a GPU's capability.
func (g gpu) unknown() bool { return g.capability == capability{} }

// lowDevice is the free memory of a GPU below which little can be trained there.
const lowDevice = 1 * gigabyte

// device describes a GPU and checks that libtorch has code for it.
func (f cudaFacts) device(g gpu) Check {
	parts := []string{g.model, "capability " + g.capability.String()}
	if g.unknown() {
		parts[1] = "capability unknown"
	}
	if g.total > 0 {
		free, total := float64(g.free)/gigabyte, float64(g.total)/gigabyte
		parts = append(parts, fmt.Sprintf("%.1f of %.1f GiB free", free, total))
	}
	precision := "precision " + string(g.precision)
	switch {
	case g.unknown():
	case g.capability.major < 7:
		precision += " (16 bits are fast from capability 7.0 on)"
	case g.capability.major < 8:
		precision += " (bfloat16 is fast from capability 8.0 on)"
	}
	c := ok(g.name, "%s", strings.Join(append(parts, precision), ", "))
	switch advice := f.withoutCode(g); {
	case advice != "":
		return c.but(Fail, "%s", advice)
	case g.unknown():
		return c.but(Warn, "Install the headers of CUDA %s (cuda_runtime_api.h) or set CUDA_HOME to a toolkit of it, "+
			"and %s.", f.versions.Runtime, rebuild())
	case g.total > 0 && g.free < lowDevice:
		return c.but(Warn, "Stop other programs on this GPU, or take another by --device cuda:N.")
	}
	return c
}

// turing is the oldest capability that CUDA 13 compiles for; CUDA 12 is the last that
// has Volta and Pascal.
var turing = capability{7, 5}

// withoutCode says what to install where libtorch has no code for a GPU, "" where it
// has, and where that is not known.
func (f cudaFacts) withoutCode(g gpu) string {
	if g.unknown() {
		return ""
	}
	if f.versions.Runtime.Major >= 13 && g.capability.below(turing) {
		return fmt.Sprintf("CUDA 13 has nothing for capability %s (V100 and older): "+
			"install a PyTorch built for CUDA 12, such as 12.6.", g.capability)
	}
	older := true // than all that there is code for
	for _, code := range g.code {
		if code.runsOn(g.capability) {
			return ""
		}
		older = older && g.capability.below(code.capability)
	}
	switch {
	case len(g.code) == 0:
		return ""
	case older:
		return fmt.Sprintf("This PyTorch has no code for capability %s: "+
			"install one built for an older CUDA, such as 12.6.", g.capability)
	}
	return fmt.Sprintf("This PyTorch has no code for capability %s: install a newer one.", g.capability)
}

// kernels checks that our kernels run on a GPU, and that neurons fire as on the CPU.
func (f cudaFacts) kernels(g gpu) Check {
	v := f.versions
	c := ok(g.name+" kernels", "compiled for capability %s", g.capability)
	if g.kernels != "" {
		c.Value = "composed operators instead: " + g.kernels
	}
	if g.neurons != nil {
		c.Value += "; neurons fail: " + g.neurons.Error()
		return c.but(Fail, "%s", f.onFailure(g))
	}
	c.Value += "; neurons fire as on the CPU"
	const many = "without our kernels a step has several times as many launches."
	switch {
	case g.kernels == "":
		return c
	case g.unknown() || f.withoutCode(g) != "":
		return c.but(Warn, "Do what is said of %s: %s", g.name, many)
	case v.NVRTC.Major == 0 || v.NVRTC.Major > v.Driver.Major:
		return c.but(Warn, "Do what is said of NVRTC: %s", many)
	case v.NVRTC.Major >= 13 && g.capability.below(turing):
		return c.but(Warn, "Run pip install %s: NVRTC of CUDA 13 compiles for capability %s and above.",
			nvrtcPackage(12), turing)
	}
	return c.but(Warn, "Set SPIKEDHS_NVRTC to a libnvrtc.so that compiles for capability %s: %s", g.capability, many)
}

// convolution checks that libtorch itself computes on a GPU.
func (f cudaFacts) convolution(g gpu) Check {
	c := ok(g.name+" libtorch", "convolves as on the CPU")
	if g.convolution == nil {
		return c
	}
	c.Value = "a convolution fails: " + g.convolution.Error()
	return c.but(Fail, "%s", f.onFailure(g))
}

// onFailure says what to do about a GPU on which a trial failed.
func (f cudaFacts) onFailure(g gpu) string {
	text := fmt.Sprint(g.neurons, g.convolution)
	switch {
	case f.withoutCode(g) != "":
		return "Do what is said of " + g.name + ", or take --device cpu."
	case strings.Contains(text, "no kernel image is available"):
		return fmt.Sprintf("This PyTorch has no code for capability %s: "+
			"install one that has, or take --device cpu.", g.capability)
	case strings.Contains(text, "out of memory"):
		return "Stop other programs on this GPU, or take another by --device cuda:N."
	}
	return "Install PyTorch again with the packages of CUDA that it asks for, or take --device cpu."
}
