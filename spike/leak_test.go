package spike

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/stretchr/testify/require"
)

// The memory of a training step is freed at its end: over 10,000 steps the
// number of tensors does not change and the process does not grow.
func TestTenThousandStepsStayFlat(t *testing.T) {
	warmUp, steps := 2000, 10000
	if testing.Short() {
		warmUp, steps = 200, 1000
	}
	defer torch.Pin()()
	threads := torch.Threads()
	require.NoError(t, torch.SetThreads(1)) // the tensors are too small to share
	t.Cleanup(func() { require.NoError(t, torch.SetThreads(threads)) })

	v := torch.NewVariables(torch.CPU())
	defer v.Close()
	conv := torch.NewConv2d(v.Root().Sub("conv"), 1, 2, torch.ConvOptions{Kernel: 3, Padding: 1})
	norm := torch.NewBatchNorm(v.Root().Sub("bn"), 2)
	head := torch.NewLinear(v.Root().Sub("head"), 2, 3)
	require.NoError(t, v.Err())
	optimizer, err := torch.NewSGD(torch.CPU(), v.Parameters(), torch.SGDOptions{Rate: 0.01, Momentum: 0.9, WeightDecay: 1e-4})
	require.NoError(t, err)
	defer optimizer.Close()
	var leaves []torch.Tensor
	for _, p := range v.Parameters() {
		leaves = append(leaves, p.Value)
	}
	step := func() {
		s := torch.NewScope()
		x := s.RepeatFirst(s.Randn(torch.CPU(), 2, 1, 4, 4), 2)
		y := Default().Fire(s, norm.Forward(s, conv.Forward(s, x), torch.Train), s.Full(torch.CPU(), 3), 2)
		logits := head.Forward(s, s.GlobalAveragePool(y))
		loss := s.CrossEntropy(logits, torch.FromSlice(s, []int64{0, 1, 2, 0}, 4))
		gradients := s.GradientOf(loss, leaves)
		s.ClipGradients(gradients, 5)
		optimizer.Step(s, gradients)
		require.NoError(t, s.Close())
	}

	// Forgotten tensors of other tests go now.
	runtime.GC()
	runtime.GC()
	for range warmUp {
		step()
	}
	live, resident := torch.LiveTensors(), residentBytes(t)
	for i := warmUp; i < steps; i++ {
		step()
		if now := torch.LiveTensors(); now != live {
			t.Fatalf("step %d: %d tensors alive, %d after step %d", i, now, live, warmUp)
		}
	}
	growth := residentBytes(t) - resident
	t.Logf("resident: %.1f MB, grew by %d kB", float64(resident)/1e6, growth/1000)
	if growth > resident/200 {
		t.Errorf("resident memory grew by %d of %d bytes", growth, resident)
	}
}

// residentBytes is the memory that the process occupies, without Go's own heap: a
// few megabytes that come and go with its collector, while the tensors' memory is
// not Go's.
func residentBytes(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("this system has no /proc/self/statm to measure memory with")
	}
	fields := bytes.Fields(text)
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	require.NoError(t, err)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return pages*int64(os.Getpagesize()) - int64(m.Sys-m.HeapReleased)
}
