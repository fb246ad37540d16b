//go:build fakedevice

package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/cmd/spikedhs/internal/doctor"
	"github.com/spikedhs/spikedhs/torch"
)

// doctorOf runs doctor and returns its checks by name.
func doctorOf(t *testing.T) map[string]doctor.Check {
	t.Helper()
	var v struct {
		OK     bool
		Checks []doctor.Check
	}
	require.NoError(t, json.Unmarshal([]byte(onDevice(t, "doctor", "--json").stdout), &v))
	require.True(t, v.OK)
	checks := map[string]doctor.Check{}
	for _, c := range v.Checks {
		assert.Equal(t, c.Status != doctor.OK, c.Advice != "", "%s: a warning says what to do", c.Name)
		checks[c.Name] = c
	}
	return checks
}

// Doctor asks every device and computes on it, by our kernels and without.
func TestDeviceDoctor(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("SPIKEDHS_CACHE", cache)
	for _, kernels := range []string{"1", "0"} {
		t.Setenv("SPIKEDHS_FAKE_KERNELS", kernels)
		checks := doctorOf(t)
		kept := doctor.Check{Name: "kernel cache", Status: doctor.OK, Value: cache + "/kernels"}
		assert.Equal(t, "2 devices, libtorch has CUDA 12.8 and cuDNN 9.7.1", checks["CUDA"].Value)
		assert.Contains(t, checks["NVIDIA driver"].Value, "CUDA 12.8")
		assert.Equal(t, kept, checks["kernel cache"])
		for _, d := range []string{"cuda:0", "cuda:1"} {
			assert.Equal(t, doctor.OK, checks[d].Status)
			assert.Regexp(t, `^fake device, capability 9\.0, 1\d\.\d of 16\.0 GiB free, precision bfloat16$`, checks[d].Value)
			assert.Equal(t, "convolves as on the CPU", checks[d+" libtorch"].Value)
			assert.Contains(t, checks[d+" kernels"].Value, "neurons fire as on the CPU")
			if kernels == "1" {
				assert.Equal(t, doctor.OK, checks[d+" kernels"].Status)
			} else {
				assert.Equal(t, doctor.Warn, checks[d+" kernels"].Status)
				assert.Contains(t, checks[d+" kernels"].Value, "composed operators instead: switched off")
			}
		}
		counts, err := torch.ReadFake()
		require.NoError(t, err)
		// One scan on each device where our kernels are; convolutions always.
		assert.Equal(t, kernels == "1", counts.Operators["spikedhs::lif"].Calls == 2, "%v", counts.Operators)
		if kernels == "0" {
			assert.Contains(t, checks["NVRTC"].Advice, "nvidia-cuda-nvrtc-cu12")
		}
	}
}

// The precision that a device gets is the one that a run would take.
func TestDeviceDoctorOfOldDevices(t *testing.T) {
	for capability, want := range map[string]string{
		"7.0": "free, precision float16 (bfloat16 is fast from capability 8.0 on)",
		"6.1": "free, precision float32 (16 bits are fast from capability 7.0 on)",
	} {
		t.Setenv("SPIKEDHS_FAKE_CAPABILITY", capability)
		value := doctorOf(t)["cuda:1"].Value
		assert.Contains(t, value, "capability "+capability+",")
		assert.Contains(t, value, want)
	}
}

// A device on which a trial fails is told, and the program ends with an error.
func TestDeviceDoctorOfABrokenDevice(t *testing.T) {
	torch.FailAllocation(3)
	defer torch.FailAllocation(0)
	r := spikedhs(t, "doctor")
	require.NotEqual(t, 0, r.code)
	assert.Regexp(t, `(?m)^fail  cuda:0 \w+ .*out of memory`, r.stdout)
	assert.Contains(t, r.stdout, "-> Stop other programs on this GPU")
	assert.Contains(t, r.stderr, "doctor: these checks failed: cuda:0")
}
