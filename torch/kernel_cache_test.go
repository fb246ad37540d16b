package torch

import (
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestCachedKernelChild is run by [childKernel] in a process of its own.
func TestCachedKernelChild(t *testing.T) {
	var capability int
	if _, err := fmt.Sscan(os.Getenv("SPIKEDHS_TEST_CAPABILITY"), &capability); err != nil {
		t.Skip("run by the tests of the kernels' cache in a process of its own")
	}
	size, name, err := cachedKernel(capability)
	fmt.Printf("kernel|%d|%s|%v|\n", size, name, err)
}

// childProcess is a process that takes one kernel from a cache or compiles it.
func childProcess(nvrtc, cache string, capability int) *exec.Cmd {
	command := exec.Command(os.Args[0], "-test.run=^TestCachedKernelChild$")
	command.Env = append(os.Environ(), "SPIKEDHS_NVRTC="+nvrtc, "SPIKEDHS_CACHE="+cache,
		fmt.Sprintf("SPIKEDHS_TEST_CAPABILITY=%d", capability))
	return command
}

func childAnswer(t *testing.T, output string) (size int, name string, err error) {
	t.Helper()
	_, line, found := strings.Cut(output, "kernel|")
	require.True(t, found, output)
	fields := strings.Split(line, "|")
	_, scanned := fmt.Sscan(fields[0], &size)
	require.NoError(t, scanned)
	if fields[2] != "<nil>" {
		err = fmt.Errorf("%s", fields[2])
	}
	return size, fields[1], err
}

func childKernel(t *testing.T, nvrtc, cache string, capability int) (size int, name string, err error) {
	t.Helper()
	output, failed := childProcess(nvrtc, cache, capability).CombinedOutput()
	require.NoError(t, failed, "%s", output)
	return childAnswer(t, string(output))
}

// requireKernel takes the kernel for sm_90 and compares it with one compiled before.
func requireKernel(t *testing.T, cache string, want int) {
	t.Helper()
	size, name, err := childKernel(t, compiler(t, 12), cache, 90)
	require.NoError(t, err)
	require.Equal(t, want, size)
	require.Contains(t, name, "augment_kernel")
}

// entries are the files of a cache.
func entries(t *testing.T, cache string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(cache, "kernels", "*"))
	require.NoError(t, err)
	return list
}

// filledCache is a cache with the one entry of a kernel, and the kernel's size.
func filledCache(t *testing.T) (cache, entry string, size int) {
	t.Helper()
	cache = filepath.Join(t.TempDir(), "not", "yet", "there")
	size, _, err := childKernel(t, compiler(t, 12), cache, 90)
	require.NoError(t, err)
	require.Greater(t, size, 1000)
	list := entries(t, cache)
	require.Len(t, list, 1)
	require.True(t, strings.HasSuffix(list[0], ".kernel"))
	return cache, list[0], size
}

// What was compiled once is read and not written again.
func TestKernelsAreKept(t *testing.T) {
	cache, entry, size := filledCache(t)
	before, err := os.Stat(entry)
	require.NoError(t, err)
	requireKernel(t, cache, size)
	after, err := os.Stat(entry)
	require.NoError(t, err)
	assert.True(t, os.SameFile(before, after), "the entry was not written again")
	requireRead(t, cache, entry)

	_, _, err = childKernel(t, compiler(t, 12), cache, 80)
	require.NoError(t, err)
	assert.Len(t, entries(t, cache), 2, "another GPU, another entry")
	_, _, err = childKernel(t, compiler(t, 13), cache, 90)
	require.NoError(t, err)
	assert.Len(t, entries(t, cache), 3, "another compiler, another entry")
}

// requireRead shows that the entry is what is used: with another image in it, and a
// checksum that fits, that image comes out.
func requireRead(t *testing.T, cache, entry string) {
	t.Helper()
	whole, err := os.ReadFile(entry)
	require.NoError(t, err)
	description, _, found := strings.Cut(string(whole), "\n")
	require.True(t, found)
	text := description + "\n4 5\nnameimage"
	sum := fnv.New64a()
	sum.Write([]byte(text))
	require.NoError(t, os.WriteFile(entry, fmt.Appendf(nil, "%s%016x", text, sum.Sum64()), 0o644))
	size, name, err := childKernel(t, compiler(t, 12), cache, 90)
	require.NoError(t, err)
	assert.Equal(t, 5, size)
	assert.Equal(t, "name", name)
}

// A damaged entry is compiled anew and replaced.
func TestKernelsOfADamagedCache(t *testing.T) {
	cache, entry, size := filledCache(t)
	whole, err := os.ReadFile(entry)
	require.NoError(t, err)
	flipped := append([]byte(nil), whole...)
	flipped[len(flipped)/2] ^= 1
	for what, text := range map[string][]byte{
		"empty": {}, "truncated": whole[:len(whole)-100], "one bit": flipped, "only its line": whole[:200],
		"longer":    append(whole[:len(whole):len(whole)], 'x'),
		"another's": []byte("spikedhs kernel 1; something else\n1 1\nab0123456789abcdef"),
	} {
		require.NoError(t, os.WriteFile(entry, text, 0o644), what)
		requireKernel(t, cache, size)
		repaired, err := os.ReadFile(entry)
		require.NoError(t, err)
		require.Equal(t, whole, repaired, what)
		require.Len(t, entries(t, cache), 1, "%s: nothing else is left", what)
	}
}

// Where nothing can be kept the kernel is compiled all the same.
func TestKernelsWithoutACache(t *testing.T) {
	_, _, size := filledCache(t)
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	requireKernel(t, file, size)         // a file is in the way
	requireKernel(t, "/proc/none", size) // no folder can be made
	dead := filepath.Join(t.TempDir(), "dead")
	require.NoError(t, os.Symlink("/nowhere/at/all", dead))
	requireKernel(t, dead, size)
}

func TestKernelsOfAReadOnlyCache(t *testing.T) {
	_, _, size := filledCache(t)
	cache := t.TempDir()
	if os.Geteuid() == 0 { // whom no permission stops
		mount(t, cache, "ro")
	} else {
		require.NoError(t, os.Chmod(cache, 0o555))
	}
	requireKernel(t, cache, size)
	require.Empty(t, entries(t, cache))
}

func TestKernelsOfAFullCache(t *testing.T) {
	_, _, size := filledCache(t)
	cache := t.TempDir()
	mount(t, cache, "size=8k")
	requireKernel(t, cache, size)
	require.Empty(t, entries(t, cache), "no part of an entry is left")
}

// mount gives the test a file system of its own there.
func mount(t *testing.T, folder, options string) {
	t.Helper()
	flags := uintptr(0)
	if options == "ro" {
		flags, options = syscall.MS_RDONLY, ""
	}
	if err := syscall.Mount("tmpfs", folder, "tmpfs", flags, options); err != nil {
		t.Skipf("no file system can be mounted for this test: %v", err)
	}
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(folder, 0)) })
}

// Processes that need the same kernel at the same time all get it, and one entry
// stays.
func TestKernelsOfTwoProcesses(t *testing.T) {
	_, _, size := filledCache(t)
	cache := t.TempDir()
	var processes []*exec.Cmd
	var outputs []*strings.Builder
	for range 2 {
		p, output := childProcess(compiler(t, 12), cache, 90), new(strings.Builder)
		p.Stdout, p.Stderr = output, output
		require.NoError(t, p.Start())
		processes, outputs = append(processes, p), append(outputs, output)
	}
	for i, p := range processes {
		require.NoError(t, p.Wait(), outputs[i])
		have, _, err := childAnswer(t, outputs[i].String())
		require.NoError(t, err)
		require.Equal(t, size, have)
	}
	require.Len(t, entries(t, cache), 1)
	begin := time.Now()
	requireKernel(t, cache, size)
	t.Logf("from the cache in %v, the process included", time.Since(begin).Round(time.Millisecond))
}
