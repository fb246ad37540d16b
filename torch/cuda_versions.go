package torch

// #include "spikedhs/spikedhs.h"
import "C"

import "fmt"

// CUDAVersion is a version of CUDA, the zero value where there is none.
type CUDAVersion struct{ Major, Minor int }

// String is such as "12.8".
func (v CUDAVersion) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

// CUDAVersions are the parts of CUDA that work together on a machine.
type CUDAVersions struct {
	// Runtime is the CUDA that libtorch was built with.
	Runtime CUDAVersion
	// Driver is the newest CUDA that the NVIDIA driver knows. DriverError says what
	// keeps the driver from starting, "" if nothing does.
	Driver      CUDAVersion
	DriverError string
	// NVRTC is the compiler of our kernels, and NVRTCPath its file. It is that in
	// $SPIKEDHS_NVRTC, else that beside libtorch, else the system's.
	NVRTC     CUDAVersion
	NVRTCPath string
	// CuDNN is the version of cuDNN, such as "9.7.1", "" without it.
	CuDNN string
}

// FindCUDA asks libtorch, the driver and NVRTC for their versions. It needs no
// device.
func FindCUDA() (CUDAVersions, error) {
	var runtime, driver, nvrtc, cudnn C.int
	var driverError, path *C.char
	err := failure("versions of CUDA", C.sd_cuda_versions(&runtime, &driver, &nvrtc, &cudnn, &driverError, &path))
	if err != nil {
		return CUDAVersions{}, err
	}
	return CUDAVersions{
		Runtime:     runtimeVersion(int(runtime)),
		Driver:      runtimeVersion(int(driver)),
		DriverError: oneLine(ownText(driverError)),
		NVRTC:       CUDAVersion{int(nvrtc) / 100, int(nvrtc) % 100},
		NVRTCPath:   ownText(path),
		CuDNN:       cudnnVersion(int(cudnn)),
	}, nil
}

// runtimeVersion reads the form 12080, which the runtime and the driver share.
func runtimeVersion(n int) CUDAVersion { return CUDAVersion{n / 1000, n % 1000 / 10} }

// cudnnVersion reads 8902, and the wider form from version 9 on, 90701.
func cudnnVersion(n int) string {
	major := 1000
	if n >= 90000 {
		major = 10000
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d.%d.%d", n/major, n%major/100, n%100)
}

// DeviceModel is the product behind a CUDA device, such as "NVIDIA H200".
func DeviceModel(d Device) (string, error) {
	index, ok := cudaIndex(d)
	if !ok {
		return "", fmt.Errorf("torch: model of %s: not a CUDA device", DeviceName(d))
	}
	var name *C.char
	if err := failure("model of "+DeviceName(d), C.sd_cuda_name(index, &name)); err != nil {
		return "", err
	}
	return ownText(name), nil
}
