package doctor

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/torch"
)

// hopper are the facts of a machine on which all is well.
func hopper() cudaFacts {
	return cudaFacts{
		card: true,
		versions: torch.CUDAVersions{
			Runtime: torch.CUDAVersion{Major: 12, Minor: 8}, CuDNN: "9.7.1",
			Driver: torch.CUDAVersion{Major: 12, Minor: 9},
			NVRTC:  torch.CUDAVersion{Major: 12, Minor: 8}, NVRTCPath: "/nvidia/cuda_nvrtc/lib/libnvrtc.so.12",
		},
		release: "575.57.08", cache: "/home/one/.cache/spikedhs/kernels",
		devices: []gpu{{
			name: "cuda:0", model: "NVIDIA H200", capability: capability{9, 0}, precision: search.BFloat16,
			free: 138 * gigabyte, total: 140 * gigabyte, code: codeOf(flags),
		}},
	}
}

const flags = `  - NVCC architecture flags: -gencode;arch=compute_75,code=sm_75;` +
	`-gencode;arch=compute_80,code=sm_80;-gencode;arch=compute_90,code=sm_90;-gencode;arch=compute_120,code=[compute_120,sm_120]`

// volta puts a V100 into a machine, with what else CUDA 13 does to it.
func volta(f *cudaFacts) {
	g := &f.devices[0]
	g.model, g.capability, g.precision, g.code = "Tesla V100-SXM2-32GB", capability{7, 0}, search.Float16, nil
}

func withCUDA(f *cudaFacts, runtime, driver, nvrtc int) {
	f.versions.Runtime, f.versions.Driver = torch.CUDAVersion{Major: runtime}, torch.CUDAVersion{Major: driver}
	f.versions.NVRTC = torch.CUDAVersion{Major: nvrtc}
}

func withoutDevices(f *cudaFacts) {
	f.missing, f.devices = "libtorch has CUDA but finds no device", nil
}

var errNoImage = errors.New("CUDA error: no kernel image is available for execution on the device")

// Each case changes the machine where all is well. The checks that are not listed
// have no advice; a value and an advice need to be contained only.
func TestCUDAChecks(t *testing.T) {
	type found struct {
		status        Status
		value, advice string
	}
	for name, c := range map[string]struct {
		change func(*cudaFacts)
		want   map[string]found
	}{
		"all well": {func(*cudaFacts) {}, map[string]found{
			"CUDA":           {OK, "1 devices, libtorch has CUDA 12.8 and cuDNN 9.7.1", ""},
			"NVIDIA driver":  {OK, "575.57.08, CUDA 12.9", ""},
			"NVRTC":          {OK, "12.8, /nvidia/cuda_nvrtc/lib/libnvrtc.so.12", ""},
			"kernel cache":   {OK, "/home/one/.cache/spikedhs/kernels", ""},
			"cuda:0":         {OK, "NVIDIA H200, capability 9.0, 138.0 of 140.0 GiB free, precision bfloat16", ""},
			"cuda:0 kernels": {OK, "compiled for capability 9.0; neurons fire as on the CPU", ""},
		}},
		"CPU build": {func(f *cudaFacts) {
			*f = cudaFacts{missing: "the libtorch in use was built without CUDA"}
		}, map[string]found{
			"CUDA":         {OK, "not used: the libtorch in use was built without CUDA", ""},
			"CUDA kernels": {OK, "not needed without CUDA", ""},
		}},
		"CPU build on a machine with a GPU": {func(f *cudaFacts) {
			*f = cudaFacts{missing: "the libtorch in use was built without CUDA", card: true}
		}, map[string]found{"CUDA": {Warn, "not used", "set LIBTORCH to a libtorch with CUDA"}}},
		"no driver": {func(f *cudaFacts) {
			withoutDevices(f)
			f.versions.Driver, f.release = torch.CUDAVersion{}, ""
			f.versions.DriverError = "no NVIDIA driver: libcuda.so.1: cannot open"
		}, map[string]found{
			"CUDA":          {OK, "not used: libtorch has CUDA but finds no device", ""},
			"NVIDIA driver": {Warn, "not found: no NVIDIA driver: libcuda.so.1", "Install the NVIDIA driver"},
			"CUDA kernels":  {OK, "not needed", ""},
		}},
		"driver too old for CUDA 13": {func(f *cudaFacts) {
			withoutDevices(f)
			withCUDA(f, 13, 12, 13)
			f.release = "550.54.15"
		}, map[string]found{
			"NVIDIA driver": {Warn, "550.54.15, CUDA 12.0, too old for libtorch's CUDA 13.0",
				"580 or newer, or install a PyTorch built for CUDA 12."},
		}},
		"driver too old for CUDA 12": {func(f *cudaFacts) {
			withoutDevices(f)
			withCUDA(f, 12, 11, 12)
		}, map[string]found{
			"NVIDIA driver": {Warn, "too old for libtorch's CUDA 12.0", "525.60 or newer, or install"},
		}},
		"driver too old for a CUDA to come": {func(f *cudaFacts) {
			withoutDevices(f)
			withCUDA(f, 14, 13, 14)
		}, map[string]found{"NVIDIA driver": {Warn, "too old", "one that knows CUDA 14 or newer"}}},
		"GPUs hidden": {func(f *cudaFacts) {
			withoutDevices(f)
			f.hidden, f.versions.DriverError = true, "CUDA driver: start: no CUDA-capable device is detected"
		}, map[string]found{
			"CUDA":          {Warn, "not used", "Unset CUDA_VISIBLE_DEVICES"},
			"NVIDIA driver": {OK, "does not start: CUDA driver: start: no CUDA-capable device", ""},
		}},
		"GPUs misnamed": {func(f *cudaFacts) {
			withoutDevices(f)
			f.visible = "7"
		}, map[string]found{"CUDA": {Warn, "not used", "CUDA_VISIBLE_DEVICES=7 must name"}}},
		"no GPU under the driver": {withoutDevices, map[string]found{"CUDA": {Warn, "not used", "nvidia-smi"}}},
		"V100 with CUDA 13": {func(f *cudaFacts) {
			volta(f)
			withCUDA(f, 13, 13, 13)
			g := &f.devices[0]
			g.kernels = "NVRTC 13.0 compiles for compute capability 75 to 121, this GPU has 70"
			g.neurons, g.convolution = errNoImage, errNoImage
		}, map[string]found{
			"cuda:0": {Fail, "Tesla V100-SXM2-32GB, capability 7.0, 138.0 of 140.0 GiB free, precision float16",
				"CUDA 13 has nothing for capability 7.0 (V100 and older): install a PyTorch built for CUDA 12"},
			"cuda:0 kernels":  {Fail, "composed operators instead: NVRTC 13.0", "Do what is said of cuda:0"},
			"cuda:0 libtorch": {Fail, "no kernel image", "Do what is said of cuda:0"},
		}},
		"V100 with CUDA 12": {volta, map[string]found{
			"cuda:0": {OK, "precision float16 (bfloat16 is fast from capability 8.0 on)", ""},
		}},
		"V100 with NVRTC of CUDA 13": {func(f *cudaFacts) {
			volta(f)
			withCUDA(f, 12, 13, 13)
			f.devices[0].kernels = "NVRTC 13.0 compiles for compute capability 75 to 121, this GPU has 70"
		}, map[string]found{
			"cuda:0 kernels": {Warn, "neurons fire as on the CPU", "pip install nvidia-cuda-nvrtc-cu12"},
		}},
		"V100 with a PyTorch that dropped it": {func(f *cudaFacts) {
			volta(f)
			f.devices[0].code = codeOf(flags)
			f.devices[0].convolution = errNoImage
		}, map[string]found{
			"cuda:0":          {Fail, "V100", "no code for capability 7.0: install one built for an older CUDA"},
			"cuda:0 libtorch": {Fail, "no kernel image", "Do what is said of cuda:0"},
		}},
		"GPU that PyTorch does not know yet": {func(f *cudaFacts) {
			f.devices[0].capability, f.devices[0].code = capability{10, 0}, codeOf(flags)
		}, map[string]found{"cuda:0": {Fail, "capability 10.0", "no code for capability 10.0: install a newer one"}}},
		"no code, and no list of it": {func(f *cudaFacts) {
			f.devices[0].code, f.devices[0].convolution = nil, errNoImage
		}, map[string]found{
			"cuda:0 libtorch": {Fail, "no kernel image", "no code for capability 9.0: install one that has"},
		}},
		"Pascal": {func(f *cudaFacts) {
			g := &f.devices[0]
			g.capability, g.precision, g.code = capability{6, 1}, search.Float32, nil
		}, map[string]found{"cuda:0": {OK, "precision float32 (16 bits are fast from capability 7.0 on)", ""}}},
		"no NVRTC": {func(f *cudaFacts) {
			f.versions.NVRTC, f.versions.NVRTCPath = torch.CUDAVersion{}, ""
			f.devices[0].kernels = "NVRTC was not found"
		}, map[string]found{
			"NVRTC": {Warn, "not found", "pip install nvidia-cuda-nvrtc-cu12, or set SPIKEDHS_NVRTC"},
			"cuda:0 kernels": {Warn, "composed operators instead: NVRTC was not found; neurons fire as on the CPU",
				"Do what is said of NVRTC"},
		}},
		"no NVRTC of CUDA 13": {func(f *cudaFacts) { withCUDA(f, 13, 13, 0) },
			map[string]found{"NVRTC": {Warn, "not found", "pip install 'nvidia-cuda-nvrtc==13.*'"}}},
		"NVRTC chosen wrongly": {func(f *cudaFacts) {
			f.nvrtc, f.versions.NVRTC = "/nowhere", torch.CUDAVersion{}
		}, map[string]found{"NVRTC": {Warn, "SPIKEDHS_NVRTC=/nowhere is none", "unset it"}}},
		"NVRTC newer than the driver": {func(f *cudaFacts) {
			withCUDA(f, 12, 12, 13)
			f.devices[0].kernels = "CUDA driver: augment: device kernel image is invalid"
		}, map[string]found{
			"NVRTC":          {Warn, "13.0, newer than the driver's CUDA 12.0", "pip install nvidia-cuda-nvrtc-cu12"},
			"cuda:0 kernels": {Warn, "image is invalid", "Do what is said of NVRTC"},
		}},
		"kernels do not compile": {func(f *cudaFacts) {
			f.devices[0].kernels = "NVRTC 12.8: lif.cu for sm_90: NVRTC_ERROR_COMPILATION"
		}, map[string]found{
			"cuda:0 kernels": {Warn, "NVRTC_ERROR_COMPILATION", "Set SPIKEDHS_NVRTC to a libnvrtc.so that compiles"},
		}},
		"cache cannot be written": {func(f *cudaFacts) { f.cacheError = "read-only file system" },
			map[string]found{"kernel cache": {Warn, "not kept: read-only file system", "Set SPIKEDHS_CACHE"}}},
		"built without headers": {func(f *cudaFacts) {
			g := &f.devices[0]
			g.capability, g.free, g.total, g.precision, g.kernels = capability{}, 0, 0, search.Float32, "built without CUDA"
		}, map[string]found{
			"cuda:0": {Warn, "NVIDIA H200, capability unknown, precision float32",
				"Install the headers of CUDA 12.8"},
			"cuda:0 kernels": {Warn, "built without CUDA", "Do what is said of cuda:0"},
		}},
		"GPU taken": {func(f *cudaFacts) {
			f.devices[0].free = gigabyte / 2
			f.devices[0].convolution = errors.New("CUDA out of memory")
		}, map[string]found{
			"cuda:0":          {Warn, "0.5 of 140.0 GiB free", "Stop other programs"},
			"cuda:0 libtorch": {Fail, "out of memory", "Stop other programs"},
		}},
		"neurons wrong": {func(f *cudaFacts) {
			f.devices[0].neurons = errors.New("3 of 480 spikes are not those of the CPU")
		}, map[string]found{
			"cuda:0 kernels": {Fail, "compiled for capability 9.0; neurons fail: 3 of 480 spikes", "--device cpu"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			f := hopper()
			c.change(&f)
			checks := f.checks()
			names := map[string]bool{}
			for _, check := range checks {
				names[check.Name] = true
				assert.NotEmpty(t, check.Value, check.Name)
				want, listed := c.want[check.Name]
				if !listed {
					want.status = OK
				}
				assert.Equal(t, want.status, check.Status, "%s: %s", check.Name, check.Value)
				assert.Contains(t, check.Value, want.value)
				assert.Contains(t, check.Advice, want.advice)
				assert.Equal(t, check.Status != OK, check.Advice != "", "%s: a warning says what to do", check.Name)
				if check.Advice != "" {
					assert.True(t, strings.HasSuffix(check.Advice, "."), check.Advice)
				}
			}
			for listed := range c.want {
				assert.True(t, names[listed], "%s is not among %v", listed, checks)
			}
		})
	}
}

// A machine without CUDA keeps its two lines, and each GPU has three of its own.
func TestCUDAChecksPerDevice(t *testing.T) {
	f := hopper()
	second := f.devices[0]
	second.name, second.capability = "cuda:1", capability{8, 9}
	f.devices = append(f.devices, second)
	checks := f.checks()
	require.Len(t, checks, 10)
	assert.Contains(t, checks[7].Value, "capability 8.9")
	assert.Equal(t, "cuda:1 libtorch", checks[9].Name)
	assert.Len(t, cudaFacts{missing: "built without CUDA"}.checks(), 2)
}

func TestDriverRelease(t *testing.T) {
	for text, want := range map[string]string{
		"NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 2023\nGCC version: 12.2.0\n": "535.104.05",
		"NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build\n":                "570.86.15",
		"": "",
	} {
		assert.Equal(t, want, releaseForm.FindString(text))
	}
}

func TestUnwritable(t *testing.T) {
	dir := t.TempDir()
	assert.Empty(t, unwritable(filepath.Join(dir, "a", "kernels")))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries, "nothing is left behind")
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	assert.NotEmpty(t, unwritable(filepath.Join(file, "kernels")))
	assert.Contains(t, unwritable(""), "HOME")
}
