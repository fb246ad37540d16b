package torch

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// A program that may use one processor only starts and computes: gotorch's init asks
// libtorch for half of one thread there.
func TestOneProcessor(t *testing.T) {
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		t.Skip("no taskset to start a program on one processor")
	}
	// Some processor that this process may use; which one does not matter.
	allowed := exec.Command("sh", "-c", `taskset -cp $$ | sed 's/.*: //; s/[-,].*//'`)
	first, err := allowed.Output()
	require.NoError(t, err)
	cpu := string(first[:len(first)-1])
	command := exec.Command(taskset, "-c", cpu, os.Args[0], "-test.run=^TestOneThread$", "-test.v")
	for _, v := range os.Environ() {
		if len(v) < 4 || v[:4] != "OMP_" && v[:4] != "MKL_" {
			command.Env = append(command.Env, v)
		}
	}
	command.Env = append(command.Env, "SPIKEDHS_TEST_ONE_PROCESSOR=1")
	text, err := command.CombinedOutput()
	require.NoError(t, err, "%s", text)
	require.Contains(t, string(text), "--- PASS: TestOneThread")
}

// TestOneThread is run by [TestOneProcessor] in a process of its own.
func TestOneThread(t *testing.T) {
	if os.Getenv("SPIKEDHS_TEST_ONE_PROCESSOR") == "" {
		t.Skip("run by TestOneProcessor in a process with one processor")
	}
	require.Equal(t, 1, Threads())
	s := NewInference()
	require.EqualValues(t, 6, s.Item(s.Sum(FromSlice(s, []float32{1, 2, 3}, 3))))
	require.NoError(t, s.Close())
}
