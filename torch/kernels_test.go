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
	programs          []CompiledProgram
}

// job is a part of a compilation.
type job struct {
	of     *compilation
	matrix KernelMatrix
}

// compilations are those of the test and their parts, the longest first: every
// version that there is for sm_90, those that the presets run for the others.
func compilations(t *testing.T) ([]*compilation, []job) {
	compilers := map[int]string{12: compiler(t, 12), 13: compiler(t, 13)}
	presets := []KernelMatrix{{Steps: presetSteps(t), Families: []int{0}, Elements: []int8{Float32, BFloat16, Float16}}}
	every := []KernelMatrix{{Steps: []int{4, 9}, Families: []int{0}, Elements: []int8{Float64}}} // for tests alone
	for _, element := range []int8{Float32, BFloat16, Float16} {
		every = append(every, KernelMatrix{
			Steps: []int{1, 2, 3, 4, 5, 6, 7, 8, 9}, Families: []int{0, 1, 2, 3, 4, 5, 6}, Elements: []int8{element},
		})
	}
	var list []*compilation
	var jobs []job
	for _, major := range []int{12, 13} {
		for _, capability := range []int{70, 75, 80, 86, 89, 90, 100, 120} {
			if capability == 70 && major == 13 {
				continue // CUDA 13 has no Volta any more
			}
			c := &compilation{major: major, capability: capability}
			matrices := presets
			if capability == 90 {
				matrices = every
			}
			for _, m := range matrices {
				m.NVRTC, m.Capability = compilers[major], capability
				jobs = append(jobs, job{c, m})
			}
			list = append(list, c)
		}
	}
	slices.SortStableFunc(jobs, func(a, b job) int { return cmp.Compare(len(b.matrix.Families), len(a.matrix.Families)) })
	return list, jobs
}

// Every kernel that the presets run for every architecture, and every version that
// there is for one: it compiles, and no thread's numbers spill into memory. With
// SPIKEDHS_KERNEL_TABLE=FILE the figures are written there.
func TestKernelsCompile(t *testing.T) {
	list, jobs := compilations(t)
	work := make(chan job, len(jobs))
	for _, j := range jobs {
		work <- j
	}
	close(work)
	var workers sync.WaitGroup
	var mutex sync.Mutex
	for range 2 {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for j := range work {
				programs, err := CompileKernels(j.matrix)
				mutex.Lock()
				assert.NoError(t, err, "CUDA %d, sm_%d", j.of.major, j.of.capability)
				j.of.programs = append(j.of.programs, programs...)
				mutex.Unlock()
			}
		}()
	}
	workers.Wait()
	for _, c := range list {
		require.NotEmpty(t, c.programs)
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

// figures are those of one kernel over its versions.
type figures struct {
	name                           string
	versions, least, most, spilled int
	seconds                        float64 // of its program
}

// kernelTable are the figures in Markdown: a line for each kernel, architecture and
// compiler.
func kernelTable(list []*compilation) string {
	var out strings.Builder
	out.WriteString("| kernel | GPU | CUDA | versions | registers | bytes spilled | seconds of its program |\n")
	out.WriteString("|---|---|---|---|---|---|---|\n")
	form := regexp.MustCompile(`::(\w+)_kernel`)
	for _, c := range list {
		var lines []*figures
		for _, p := range c.programs {
			timed := map[string]bool{}
			for _, k := range p.Kernels {
				name := form.FindStringSubmatch(k.Name)[1]
				i := slices.IndexFunc(lines, func(f *figures) bool { return f.name == name })
				if i < 0 {
					i = len(lines)
					lines = append(lines, &figures{name: name, least: k.Registers})
				}
				f := lines[i]
				f.versions++
				f.least, f.most = min(f.least, k.Registers), max(f.most, k.Registers)
				f.spilled += k.Spilled
				if !timed[name] {
					timed[name] = true
					f.seconds += p.Time.Seconds()
				}
			}
		}
		for _, f := range lines {
			fmt.Fprintf(&out, "| %s | sm_%d | %d | %d | %d to %d | %d | %.1f |\n",
				f.name, c.capability, c.major, f.versions, f.least, f.most, f.spilled, f.seconds)
		}
	}
	return out.String()
}

// A GPU that the compiler does not know gets the code of an earlier one of its
// generation, or PTX of an earlier generation; one that it no longer knows is an error.
func TestKernelsOfUnknownGPUs(t *testing.T) {
	path := compiler(t, 13)
	m := KernelMatrix{NVRTC: path, Capability: 70, Steps: []int{4}, Families: []int{0}, Elements: []int8{Float32}}
	_, err := CompileKernels(m)
	require.ErrorContains(t, err, "no GPU as old as this one, whose compute capability is 70")
	m.Capability = 999
	_, err = CompileKernels(m)
	require.ErrorContains(t, err, "it makes PTX")
	for _, capability := range []int{999, 99, 85} { // newer than all, between two generations, within one
		size, name, err := childKernel(t, path, t.TempDir(), capability)
		require.NoError(t, err, "%d", capability)
		assert.Positive(t, size)
		assert.Contains(t, name, "augment_kernel")
	}
}

func TestKernelsWithoutACompiler(t *testing.T) {
	_, _, err := childKernel(t, "/nowhere/libnvrtc.so", t.TempDir(), 90)
	require.ErrorContains(t, err, "NVRTC was not found (first tried: /nowhere/libnvrtc.so")
	m := KernelMatrix{NVRTC: "/nowhere/libnvrtc.so", Capability: 90, Steps: []int{1}, Families: []int{0}, Elements: []int8{Float32}}
	_, err = CompileKernels(m)
	require.ErrorContains(t, err, "/nowhere/libnvrtc.so")
	_, err = CompileKernels(KernelMatrix{})
	require.ErrorContains(t, err, "at least one T")
}

func TestKernelsOfTheHost(t *testing.T) {
	assert.Equal(t, "not a CUDA device", CUDAKernelsMissing(CPU()))
}
