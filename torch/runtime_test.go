package torch

import (
	"regexp"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestASeedGivesTheSameNumbers(t *testing.T) {
	s := NewScope()
	defer s.Close()
	draw := func(seed uint64) []float32 {
		require.NoError(t, Seed(seed))
		x := s.Randn(CPU(), 20)
		require.NoError(t, s.Err())
		return bits(t, x)
	}
	first := draw(1)
	assert.NotEqual(t, first, draw(2))
	assert.Equal(t, first, draw(1))
	assert.NotEqual(t, first[0], first[1])
}

func TestGeneratorStateContinuesTheNumbers(t *testing.T) {
	assertLive(t)
	s := NewScope()
	defer s.Close()
	require.NoError(t, Seed(3))
	s.Randn(CPU(), 5) // somewhere in the middle
	state := s.GeneratorState(CPU())
	first := bits(t, s.Randn(CPU(), 20))
	require.NotEqual(t, first, bits(t, s.Randn(CPU(), 20)))
	require.NoError(t, SetGeneratorState(CPU(), state))
	assert.Equal(t, first, bits(t, s.Randn(CPU(), 20)))
	require.NoError(t, s.Err())

	assert.ErrorContains(t, SetGeneratorState(CPU(), s.Zeros(CPU(), 3)), "torch: set generator state:")
}

func TestThreadsHoldForEveryOSThread(t *testing.T) {
	before := Threads()
	t.Cleanup(func() { require.NoError(t, SetThreads(before)) })
	for _, n := range []int{1, 2, 1} {
		require.NoError(t, SetThreads(n))
		seen := make(chan int)
		go func() {
			runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
			seen <- Threads()
		}()
		assert.Equal(t, n, <-seen)
		assert.Equal(t, n, Threads())
	}
	assert.EqualError(t, SetThreads(0), "torch: set threads: number of threads must be positive, got 0")
	assert.Equal(t, 1, Threads())
}

func TestDescriptions(t *testing.T) {
	assert.Regexp(t, `^[12]\.[0-9]+\.`, Version())
	assert.Regexp(t, `^[12]\.[0-9]+\.`, BuildVersion())
	minor := regexp.MustCompile(`^[0-9]+\.[0-9]+`)
	assert.Equal(t, minor.FindString(BuildVersion()), minor.FindString(Version()), "another would not have loaded")
	assert.Contains(t, Describe(), "ATen/Parallel")
	assert.Contains(t, Describe(), "TORCH_VERSION="+Version()+",", "the library's own word")
	foundBy, library := Location()
	assert.NotEqual(t, "unknown", foundBy)
	assert.FileExists(t, library)
	assert.Contains(t, library, "libtorch")
	t.Setenv("SPIKEDHS_PYTHON", "/venv/bin/python")
	chosen, same := Location()
	assert.Equal(t, "/venv/bin/python", chosen)
	assert.Equal(t, library, same)
	t.Setenv("SPIKEDHS_LIBRARIES", "prebuilt 2.15-cpu-abi1")
	t.Setenv("LIBTORCH", "/opt/libtorch")
	chosen, _ = Location()
	assert.Equal(t, "LIBTORCH", chosen, "what the launcher of a wheel takes first")
}
