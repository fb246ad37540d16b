package torch

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// SPIKEDHS_KERNELS switches families off one by one, and then libtorch's operators give
// the result, to the bit.
func TestKernelsAreSwitchedOff(t *testing.T) {
	const variable = "SPIKEDHS_KERNELS"
	if without, ok := strings.CutPrefix(os.Getenv(variable), "-"); ok {
		checkWithout(t, without)
		return
	}
	for _, family := range CPUFamilies() {
		if !CPUKernels(family) {
			continue
		}
		c := exec.Command(os.Args[0], "-test.run", "^TestKernelsAreSwitchedOff$")
		c.Env = append(os.Environ(), variable+"=-"+family)
		out, err := c.CombinedOutput()
		assert.NoError(t, err, "%s: %s", family, out)
	}
}

func checkWithout(t *testing.T, family string) {
	assert.False(t, CPUKernels(family))
	for _, other := range []string{"cell", "events", "gradients", "lif"} {
		assert.Equal(t, other != family, CPUKernels(other), other)
	}
	s := NewInference()
	defer s.Close()
	require.NoError(t, Seed(3))
	pad := []int64{1, 1}
	x, w := s.ChannelsLast(s.Randn(CPU(), 4, 48, 16, 16)), s.Randn(CPU(), 48, 48, 3, 3)
	y := s.Tensor("spikedhs::conv_forward", x, w, nil, 1, pad)
	own := map[string]bool{
		"winograd": !same(t, y, s.Tensor("aten::conv2d", x, w, nil, []int64{1, 1}, pad)),
		"gradients": !same(t, s.Tensor("spikedhs::conv_weight_gradient", x, y, w, 1, pad),
			s.Call("aten::convolution_backward", y, x, w, nil, []int64{1, 1}, pad, []int64{1, 1}, false,
				[]int64{0, 0}, 1, []bool{false, true, false})[1].(Tensor)),
	}
	require.NoError(t, s.Err())
	if family == "winograd" { // the weights' gradients are Winograd's, too
		assert.Equal(t, map[string]bool{"winograd": false, "gradients": false}, own)
		return
	}
	assert.Equal(t, CPUKernels("winograd"), own["winograd"], "convolutions round otherwise than libtorch's")
	assert.Equal(t, CPUKernels("winograd") && family != "gradients", own["gradients"], "gradients of weights")
}

// same tells whether two tensors have the same numbers.
func same(t *testing.T, a, b Tensor) bool {
	s := NewInference()
	defer s.Close()
	x, err := ToSlice[float32](s.Contiguous(a))
	require.NoError(t, err)
	y, err := ToSlice[float32](s.Contiguous(b))
	require.NoError(t, err)
	return assert.ObjectsAreEqual(x, y)
}

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
