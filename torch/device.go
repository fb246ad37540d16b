package torch

// #include "spikedhs/spikedhs.h"
import "C"

import (
	"fmt"
	"regexp"
	"runtime"
	"strconv"
	"sync"
	"unsafe"

	gotorch "github.com/wangkuiyi/gotorch"

	"github.com/spikedhs/spikedhs/torch/wheel"
)

// Device is gotorch's device. Get one from [ParseDevice] or [CPU].
type Device = gotorch.Device

const (
	kindCPU  = 0
	kindCUDA = 1
)

// CPU is the host.
func CPU() Device { return namedDevice("cpu") }

// gotorch allocates a device each time it is asked for one; one of each name
// is enough for a process.
var devices sync.Map // string -> Device

func namedDevice(name string) Device {
	if d, ok := devices.Load(name); ok {
		return d.(Device)
	}
	d, _ := devices.LoadOrStore(name, gotorch.NewDevice(name))
	return d.(Device)
}

var deviceForm = regexp.MustCompile(`^(auto|cpu|cuda(:([0-9]{1,3}))?)$`)

// ParseDevice turns "auto", "cpu", "cuda" or "cuda:N" into a device that this
// machine has. "auto" is the first CUDA device, or the CPU where there is none.
func ParseDevice(name string) (Device, error) {
	match := deviceForm.FindStringSubmatch(name)
	if match == nil {
		return Device{}, fmt.Errorf("torch: device %q: want auto, cpu, cuda or cuda:N", name)
	}
	switch {
	case match[1] == "cpu":
		return CPU(), nil
	case match[1] == "auto":
		if CUDADevices() == 0 {
			return CPU(), nil
		}
		return namedDevice("cuda:0"), nil
	}
	index := 0
	if match[3] != "" {
		index, _ = strconv.Atoi(match[3])
	}
	if reason := CUDAMissing(); reason != "" {
		return Device{}, fmt.Errorf("torch: device %s: %s; use --device cpu", name, reason)
	}
	if n := CUDADevices(); index >= n {
		return Device{}, fmt.Errorf("torch: device %s: this machine has %d CUDA device(s), numbered from 0", name, n)
	}
	return namedDevice("cuda:" + strconv.Itoa(index)), nil
}

// CUDADevices is the number of CUDA devices that libtorch can use.
func CUDADevices() int { return int(C.sd_cuda_devices()) }

// CUDAMissing says why no CUDA device can be used, "" when one can.
func CUDAMissing() string {
	switch {
	case C.sd_cuda_built() == 0:
		return "the libtorch in use was built without CUDA (" + wheel.Either("install a PyTorch that has it",
			"set LIBTORCH to one that has it and run make build") + ")"
	case CUDADevices() == 0:
		return "libtorch has CUDA but finds no device (is the NVIDIA driver loaded? is CUDA_VISIBLE_DEVICES empty?)"
	}
	return ""
}

// Synchronize waits until a device has done the work of its current stream. The CPU
// has always done its own.
func Synchronize(d Device) error {
	return onCUDA(d, "synchronize", func(index C.int) *C.char { return C.sd_cuda_synchronize(index) })
}

// onCUDA does something with a CUDA device, and nothing with others.
func onCUDA(d Device, what string, do func(index C.int) *C.char) error {
	index, ok := cudaIndex(d)
	if !ok {
		return nil
	}
	return failure(what+" "+DeviceName(d), do(index))
}

// deviceNumbers are libtorch's device type and index (-1: unspecified).
func deviceNumbers(d Device) (kind, index int) {
	p := unsafe.Pointer(d.T)
	if p == nil {
		return kindCPU, -1
	}
	var k, i C.int
	C.sd_device_numbers(p, &k, &i)
	return int(k), int(i)
}

// cudaIndex is the number of a CUDA device; ok is false for others.
func cudaIndex(d Device) (index C.int, ok bool) {
	kind, i := deviceNumbers(d)
	return C.int(max(i, 0)), kind == kindCUDA
}

// DeviceName is "cpu" or "cuda:N".
func DeviceName(d Device) string {
	if index, ok := cudaIndex(d); ok {
		return "cuda:" + strconv.Itoa(int(index))
	}
	return "cpu"
}

// IsCUDA reports whether d is a CUDA device.
func IsCUDA(d Device) bool {
	_, ok := cudaIndex(d)
	return ok
}

// deviceOf is where t lies.
func deviceOf(t Tensor) (Device, error) {
	var kind, index C.int
	err := failure("device", C.sd_tensor_device(cTensor(t), &kind, &index))
	runtime.KeepAlive(t)
	if err != nil {
		return Device{}, err
	}
	if kind == kindCUDA {
		return namedDevice("cuda:" + strconv.Itoa(max(int(index), 0))), nil
	}
	return CPU(), nil
}
