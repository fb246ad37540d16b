package doctor

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
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
