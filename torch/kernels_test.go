package torch

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// allFamilies are the numbers of the surrogate families of cpp/src/surrogate.h.
var allFamilies = []int{0, 1, 2, 3, 4, 5, 6}

// compiler is an NVRTC that scripts/nvrtc.sh fetches, or the test is skipped.
func compiler(t *testing.T, major int) string {
	name := fmt.Sprintf("SPIKEDHS_NVRTC_%d", major)
	path := os.Getenv(name)
	if path == "" {
		t.Skipf(`no NVRTC of CUDA %d: eval "$(scripts/nvrtc.sh)" sets %s`, major, name)
	}
	return path
}

// presetSteps are the numbers of time steps in configs/.
func presetSteps(t *testing.T) []int {
	files, err := filepath.Glob("../configs/*.toml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	line := regexp.MustCompile(`(?m)^steps = (\d+)$`)
	var list []int
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, match := range line.FindAllStringSubmatch(string(text), -1) {
			n, err := strconv.Atoi(match[1])
			require.NoError(t, err)
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// compilation is one GPU architecture by one compiler.
type compilation struct {
	major, capability int
	every             bool // version, not those of the presets alone
	programs          []CompiledProgram
	err               error
}

// Every kernel that the presets run for every architecture, and every version that
// there is for one: it compiles, and no thread's numbers spill into memory. With
// SPIKEDHS_KERNEL_TABLE=FILE the figures are written there.
func TestKernelsCompile(t *testing.T) {
	compilers := map[int]string{12: compiler(t, 12), 13: compiler(t, 13)}
	var list []*compilation
	for _, major := range []int{12, 13} {
		for _, capability := range []int{70, 75, 80, 86, 89, 90, 100, 120} {
			if capability == 70 && major == 13 {
				continue // CUDA 13 has no Volta any more
			}
			list = append(list, &compilation{major: major, capability: capability, every: capability == 90})
		}
	}
	presets := KernelMatrix{Steps: presetSteps(t), Families: []int{0}, Elements: []int8{Float32, BFloat16, kernelFloat16}}
	all := KernelMatrix{Steps: []int{1, 2, 3, 4, 5, 6, 7, 8, 9}, Families: allFamilies, Elements: []int8{Float32, Float64, BFloat16, kernelFloat16}}
	// The longest first, two at a time.
	work := make(chan *compilation, len(list))
	for _, c := range slices.SortedFunc(slices.Values(list), func(a, b *compilation) int {
		return cmp.Compare(rank(a), rank(b))
	}) {
		work <- c
	}
	close(work)
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			for c := range work {
				m := presets
				if c.every {
					m = all
				}
				m.NVRTC, m.Capability = compilers[c.major], c.capability
				c.programs, c.err = CompileKernels(m)
			}
		})
	}
	workers.Wait()
	for _, c := range list {
		require.NoError(t, c.err, "CUDA %d, sm_%d", c.major, c.capability)
		require.Len(t, c.programs, 4)
		for _, p := range c.programs {
			require.NotEmpty(t, p.Kernels)
			for _, k := range p.Kernels {
				assert.Zero(t, k.Spilled, "CUDA %d, sm_%d: %s", c.major, c.capability, k.Name)
				assert.Positive(t, k.Registers, k.Name)
			}
		}
	}
	if file := os.Getenv("SPIKEDHS_KERNEL_TABLE"); file != "" {
		require.NoError(t, os.WriteFile(file, []byte(kernelTable(list)), 0o644))
	}
}

func rank(c *compilation) int {
	if c.every {
		return 0
	}
	return 1
}

// kernelTable are the figures in Markdown: a line for each kernel, architecture and
// compiler, over all its versions.
func kernelTable(list []*compilation) string {
	var out strings.Builder
	out.WriteString("| kernel | GPU | CUDA | versions | registers | bytes spilled | seconds of its program |\n|---|---|---|---|---|---|---|\n")
	kernel := regexp.MustCompile(`::(\w+)_kernel`)
	for _, c := range list {
		for _, p := range c.programs {
			versions, least, most, spilled := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
			var names []string
			for _, k := range p.Kernels {
				name := kernel.FindStringSubmatch(k.Name)[1]
				if versions[name] == 0 {
					names = append(names, name)
					least[name] = k.Registers
				}
				versions[name]++
				least[name], most[name] = min(least[name], k.Registers), max(most[name], k.Registers)
				spilled[name] += k.Spilled
			}
			for _, name := range names {
				fmt.Fprintf(&out, "| %s | sm_%d | %d | %d | %d to %d | %d | %.1f |\n", name, c.capability, c.major,
					versions[name], least[name], most[name], spilled[name], p.Time.Seconds())
			}
		}
	}
	return out.String()
}

// A GPU that the compiler does not know yet gets PTX of its newest; one that it no
// longer knows is an error.
func TestKernelsOfUnknownGPUs(t *testing.T) {
	path := compiler(t, 13)
	m := KernelMatrix{NVRTC: path, Capability: 70, Steps: []int{4}, Families: []int{0}, Elements: []int8{Float32}}
	_, err := CompileKernels(m)
	require.ErrorContains(t, err, "this GPU has 70")
	size, name, err := childKernel(t, path, t.TempDir(), 999)
	require.NoError(t, err)
	assert.Positive(t, size)
	assert.Contains(t, name, "augment_kernel")
}

func TestKernelsWithoutACompiler(t *testing.T) {
	_, _, err := childKernel(t, "/nowhere/libnvrtc.so", t.TempDir(), 90)
	require.ErrorContains(t, err, "NVRTC was not found (first tried: /nowhere/libnvrtc.so")
	_, err = CompileKernels(KernelMatrix{NVRTC: "/nowhere/libnvrtc.so", Capability: 90, Steps: []int{1}, Families: []int{0}, Elements: []int8{Float32}})
	require.ErrorContains(t, err, "/nowhere/libnvrtc.so")
	_, err = CompileKernels(KernelMatrix{})
	require.ErrorContains(t, err, "at least one T")
}

func TestKernelsOfTheHost(t *testing.T) {
	assert.False(t, HasCUDAKernels(CPU()))
	assert.Equal(t, "not a CUDA device", CUDAKernelsMissing(CPU()))
}
