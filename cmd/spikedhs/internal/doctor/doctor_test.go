package doctor

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
)

func TestLibrariesOf(t *testing.T) {
	const maps = `559c3a000000-559c3a001000 r--p 00000000 fe:00 123  /usr/bin/spikedhs
7f0000000000-7f0000001000 r-xp 00000000 fe:00 124  /usr/lib/blas/libblas.so.3.11.0
7f0000002000-7f0000003000 r--p 00000000 fe:00 124  /usr/lib/blas/libblas.so.3.11.0
7f0000004000-7f0000005000 rw-p 00000000 00:00 0
7f0000006000-7f0000007000 r-xp 00000000 fe:00 125  /opt/my libs/libspikedhs.so
7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0    [stack]
`
	require.Equal(t, []string{"/usr/lib/blas/libblas.so.3.11.0", "/opt/my libs/libspikedhs.so"}, librariesOf(maps))
}

func TestBLAS(t *testing.T) {
	for path, status := range map[string]Status{
		"/usr/lib/x86_64-linux-gnu/blas/libblas.so.3.11.0":        Warn,
		"/usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3": OK,
		"/usr/lib/x86_64-linux-gnu/libopenblas.so.0":              OK,
		"/opt/intel/libmkl_rt.so.2":                               OK,
	} {
		c := blas([]string{"/lib/libc.so.6", path})
		require.Equal(t, status, c.Status, path)
		require.Contains(t, c.Value, path)
		require.Equal(t, status == Warn, strings.Contains(slowAdvice(c), "slow with this BLAS"), path)
	}
	require.Equal(t, OK, blas(nil).Status)
}

func TestMissingShim(t *testing.T) {
	for _, c := range libraries([]string{"/lib/libspikedhs.so", "/lib/libtorch_cpu.so.2"}) {
		want := OK
		if c.Name == "libcgotorch.so" {
			want = Fail
		}
		require.Equal(t, want, c.Status, c.Name)
	}
	require.Equal(t, OK, libraries(nil)[0].Status)
}

func TestCPU(t *testing.T) {
	model, flags := cpuOf("processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: sse avx2 amx_bf16\n\nprocessor\t: 1\nmodel name\t: Other\nflags\t\t: sse\n")
	require.Equal(t, "Some CPU", model)
	require.Equal(t, []string{"sse", "avx2", "amx_bf16"}, flags)
	model, flags = cpuOf("processor : 0\nFeatures : fp asimd bf16\n")
	require.Empty(t, model)
	require.Equal(t, []string{"fp", "asimd", "bf16"}, flags)
}

func TestAvailable(t *testing.T) {
	free, known := availableOf("MemTotal:  100 kB\nMemAvailable:   42 kB\n")
	require.True(t, known)
	require.EqualValues(t, 42<<10, free)
	for _, text := range []string{"", "MemAvailable:\n", "MemAvailable: many kB\n"} {
		_, known = availableOf(text)
		require.False(t, known, "%q", text)
	}
}

func TestMajorMinor(t *testing.T) {
	v, known := majorMinor("2.11.0+cu128")
	require.True(t, known)
	require.Equal(t, [2]int{2, 11}, v)
	_, known = majorMinor("unknown")
	require.False(t, known)
}

func TestExistingParent(t *testing.T) {
	dir := t.TempDir()
	require.Equal(t, dir, existingParent(dir+"/a/b/c"))
	require.Equal(t, dir, existingParent(dir))
}

func TestThreadsAdvice(t *testing.T) {
	t.Setenv("OMP_NUM_THREADS", "1")
	require.Contains(t, threads().Value, "OMP_NUM_THREADS = 1")
}

// installed makes this process one of a wheel, with libraries as the launcher says.
func installed(t *testing.T, libraries string) {
	t.Helper()
	t.Setenv("SPIKEDHS_LIBRARIES", libraries)
	t.Setenv("SPIKEDHS_PYTHON", "/venv/bin/python")
	t.Setenv("SPIKEDHS_OTHER_TORCH", "")
}

const wheelLibrary = "/venv/lib/python3.12/site-packages/torch/lib/libtorch_cpu.so"

func TestLibtorchOfTheSources(t *testing.T) {
	installed(t, "")
	list := libtorchChecks("1.13.0", "1.13.0", "/usr/bin/python3", "/lib/libtorch_cpu.so.1.13")
	assert.Equal(t, []Check{{Name: "libtorch", Status: OK, Value: "1.13.0 in /lib (found by /usr/bin/python3)"}}, list)
	c := libtorchChecks("2.6.0", "2.4.1", "LIBTORCH", "/opt/lib/libtorch_cpu.so")[0]
	assert.Equal(t, Check{"libtorch", Fail, "2.6.0 in /opt/lib (found by LIBTORCH), built against 2.4.1",
		"Run make build: the shims do not fit this libtorch."}, c)
	c = libtorchChecks("1.9.0", "1.9.0", "LIBTORCH", "/opt/lib/libtorch_cpu.so")[0]
	assert.Equal(t, Fail, c.Status)
	assert.Contains(t, c.Advice, "set LIBTORCH to its folder and run make build")
}

func TestLibtorchOfAWheel(t *testing.T) {
	installed(t, "prebuilt 2.15-cuda-abi1")
	list := libtorchChecks("2.15.1", "2.15.0", "/venv/bin/python", wheelLibrary)
	assert.Equal(t, []Check{
		{Name: "libtorch", Status: OK, Value: "2.15.1 in /venv/lib/python3.12/site-packages/torch/lib " +
			"(the PyTorch of /venv/bin/python), built against 2.15.0"},
		{Name: "wheel", Status: OK, Value: "libraries prebuilt 2.15-cuda-abi1"},
	}, list)

	t.Setenv("SPIKEDHS_OTHER_TORCH", "/usr/lib/python3/dist-packages/torch")
	list = libtorchChecks("2.15.0", "2.15.0", "/venv/bin/python", wheelLibrary)
	require.Len(t, list, 3)
	assert.Equal(t, Check{"other PyTorch", OK, "/usr/lib/python3/dist-packages/torch, which is not used", ""}, list[2])

	installed(t, "built here in /home/one/shims, since there are none for it")
	list = libtorchChecks("2.16.0", "2.15.0", "/venv/bin/python", wheelLibrary)
	assert.Equal(t, Fail, list[0].Status)
	assert.Regexp(t, `^The libraries do not fit this PyTorch: remove /\S+, and the next start builds them again\.$`,
		list[0].Advice)
	assert.Equal(t, "libraries built here in /home/one/shims, since there are none for it", list[1].Value)

	c := libtorchChecks("2.15.0", "2.15.0", "LIBTORCH", "/opt/lib/libtorch_cpu.so")[0]
	assert.Equal(t, "2.15.0 in /opt/lib (found by LIBTORCH)", c.Value)
}

// Who has installed a wheel has neither make nor the sources.
func TestNoAdviceOfAWheelIsAboutMake(t *testing.T) {
	advices := func() (list []string) {
		all := libtorchChecks("1.9.0", "1.9.0", "x", wheelLibrary)
		all = append(all, libtorchChecks("2.6.0", "2.4.0", "x", wheelLibrary)...)
		all = append(all, libraries([]string{"/lib/libm.so"})...)
		all = append(all, blas([]string{"/usr/lib/blas/libblas.so.3"}))
		all = append(all, cudaFacts{missing: "none", card: true}.checks()...)
		all = append(all, cudaFacts{versions: hopper().versions, devices: []gpu{{name: "cuda:0"}}}.checks()...)
		for _, c := range all {
			if c.Advice != "" {
				list = append(list, c.Advice)
			}
		}
		return append(list, misfit(), rebuild(), torch.CUDAMissing())
	}
	for _, how := range []string{"prebuilt 2.6-cpu-abi0", "built here in /shims, since there are none"} {
		installed(t, how)
		list := advices()
		require.Greater(t, len(list), 8)
		for _, text := range list {
			assert.NotRegexp(t, `make|LIBTORCH|apt `, text, how)
		}
	}
	installed(t, "")
	makes := 0
	for _, text := range advices() {
		if strings.Contains(text, "make build") {
			makes++
		}
	}
	assert.Greater(t, makes, 5, "who builds it does")
}
