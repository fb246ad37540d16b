package search

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/torchtest"
)

// Training, searching and running leave no tensors behind, step after step.
func TestLiveTensorsStayFlat(t *testing.T) {
	begin(t, 1)
	start := torch.LiveTensors()
	o := tinyOptions(0, 1)
	o.Auxiliary, o.PerStepNorm = true, true
	n, err := NewNetwork(torch.CPU(), wired(t, threeNodes, nil), o)
	require.NoError(t, err)
	super, err := NewSupernet(torch.CPU(), 3, genotype.DownsampleReduction, o)
	require.NoError(t, err)
	p, err := n.Program(Input{Height: 8, Width: 8, Mean: []float64{0}, Deviation: []float64{1}})
	require.NoError(t, err)

	torchtest.Flat(t, 5, func() {
		s := torch.NewScope()
		images, labels := labelled(s)
		out := n.Forward(Pass{Scope: s, Mode: torch.Train}, images)
		s.Backward(s.Add(s.CrossEntropy(out.Logits, labels), s.CrossEntropy(out.Auxiliary, labels)))
		s.Backward(s.CrossEntropy(super.Forward(Pass{Scope: s, Mode: torch.Train}, images).Logits, labels))
		n.Forward(Pass{Scope: s, Mode: torch.Evaluate}, images)
		p.Run(s, images)
		require.NoError(t, s.Close())
	})
	// A pass leaves its results only: temporaries go when it returns.
	s := torch.NewScope()
	images, _ := labelled(s)
	before := torch.LiveTensors()
	n.Forward(Pass{Scope: s, Mode: torch.Train}, images)
	assert.Equal(t, before+2, torch.LiveTensors(), "logits and auxiliary logits")
	super.Forward(Pass{Scope: s, Mode: torch.Train}, images)
	assert.Equal(t, before+3, torch.LiveTensors())
	p.Run(s, images)
	assert.Equal(t, before+4, torch.LiveTensors())
	require.NoError(t, s.Close())

	require.NoError(t, p.Close())
	require.NoError(t, n.Close())
	require.NoError(t, super.Close())
	assert.Equal(t, start, torch.LiveTensors())
}

// After an error inside a pass nothing is left either.
func TestFailedPassLeavesNothing(t *testing.T) {
	begin(t, 2)
	o := tinyOptions(0, 1)
	n := newNetwork(t, wired(t, twoNodes, nil), o)
	super := newSupernet(t, 2, genotype.DownsampleNearest, o)
	for _, forward := range []func(Pass, torch.Tensor) Output{n.Forward, super.Forward} {
		before := torch.LiveTensors()
		s := torch.NewScope()
		out := forward(Pass{Scope: s, Mode: torch.Train}, s.Zeros(torch.CPU(), 2, 7, 8, 8))
		assert.False(t, torch.Defined(out.Logits))
		assert.ErrorContains(t, s.Err(), "stem")
		require.Error(t, s.Close())
		assert.Equal(t, before, torch.LiveTensors())
	}
}

const (
	memoryChild = "SPIKEDHS_MEMORY_CHILD"
	memoryLimit = 1.7e9 // bytes
)

// The published network at its full width (F = 48, T = 6, batch 8, 32x32) trains
// in 1.7 GB. A process of its own is measured.
func TestTrainingThePublishedNetworkFitsInMemory(t *testing.T) {
	if os.Getenv(memoryChild) != "" {
		trainPublished(t)
		return
	}
	if os.Getenv("SPIKEDHS_SLOW") == "" {
		t.Skip("takes minutes; set SPIKEDHS_SLOW=1 to run it")
	}
	program, err := os.Executable()
	require.NoError(t, err)
	c := exec.Command(program, "-test.run", "^"+t.Name()+"$", "-test.v")
	c.Env = append(os.Environ(), memoryChild+"=1")
	text, err := c.CombinedOutput()
	require.NoError(t, err, string(text))
	_, rest, ok := bytes.Cut(text, []byte("peak bytes: "))
	require.True(t, ok, string(text))
	number, _, _ := bytes.Cut(rest, []byte("\n"))
	peak, err := strconv.ParseFloat(string(number), 64)
	require.NoError(t, err)
	t.Logf("peak %.3f GB", peak/1e9)
	assert.LessOrEqual(t, peak, memoryLimit)
	assert.Greater(t, peak, 2e8, "the measurement is of the training")
}

// trainPublished does 30 iterations and prints the peak of the resident memory.
func trainPublished(t *testing.T) {
	defer torch.Pin()()
	g, err := genotype.Preset(genotype.PresetClassificationN3)
	require.NoError(t, err)
	o := paperOptions()
	o.Neuron = spike.Default()
	n := newNetwork(t, g, o)
	optimizer, err := torch.NewSGD(torch.CPU(), n.Variables().Parameters(), torch.SGDOptions{Rate: 0.025, Momentum: 0.9, WeightDecay: 3e-4})
	require.NoError(t, err)
	defer optimizer.Close()
	parameters := torch.Tensors(n.Variables().Parameters())
	for range 30 {
		s := torch.NewScope()
		x := s.Randn(torch.CPU(), 8, 3, 32, 32)
		y := torch.FromSlice(s, []int64{0, 1, 2, 3, 4, 5, 6, 7}, 8)
		out := n.Forward(Pass{Scope: s, Mode: torch.Train}, x)
		loss := s.Add(s.CrossEntropy(out.Logits, y), s.Scale(s.CrossEntropy(out.Auxiliary, y), 0.4))
		gradients := s.GradientOf(loss, parameters)
		s.ClipGradients(gradients, 5)
		optimizer.Step(s, gradients)
		require.NoError(t, s.Close())
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("this system has no /proc/self/status to measure memory with")
	}
	for line := range bytes.Lines(status) {
		var kilobytes float64
		if n, _ := fmt.Sscanf(string(line), "VmHWM: %f kB", &kilobytes); n == 1 {
			fmt.Printf("peak bytes: %.0f\n", kilobytes*1024)
		}
	}
}

// Cells of single layers that are computed again give the same bits, and move the
// running statistics once. All cells of a supernet share alpha, whose gradients come
// together in another order.
func TestTapedCellsAreTheSameToTheBit(t *testing.T) {
	each(t, func(t *testing.T, super bool, d genotype.Downsample, o Options) {
		o.Unfused = true
		requireSameAgain(t, begin(t, 79), super, d, o, func(x torch.Variable) bool { return strings.HasPrefix(x.Name, "alpha") })
	})
}

// With few launches too, cells that are computed again move the running statistics once
// and give the gradients of the pass, whose casts are gone by then.
func TestTapedCellsWithFewLaunches(t *testing.T) {
	each(t, func(t *testing.T, super bool, d genotype.Downsample, o Options) {
		for _, precision := range []Precision{Float32, BFloat16} {
			o.FewLaunches, o.Precision = true, precision
			requireSameAgain(t, begin(t, 83), super, d, o, func(torch.Variable) bool { return true })
		}
	})
}

// requireSameAgain computes the inside of cells again: logits, running statistics and
// gradients are the same to the bit, the gradients of what is nearly alike within rounding.
func requireSameAgain(t *testing.T, s *torch.Scope, super bool, d genotype.Downsample, o Options, nearly func(torch.Variable) bool) {
	t.Helper()
	o.Recompute = false
	kept := pass(t, s, super, d, o)
	o.Recompute = true
	again := pass(t, s, super, d, o)
	assert.Equal(t, read(t, kept.logits), read(t, again.logits))
	assert.Equal(t, kept.buffers, again.buffers)
	for i, x := range kept.of {
		before, after := kept.gradients[i], again.gradients[i]
		switch {
		case x.Follows != "" && !torch.Defined(before): // a bias left out
			assert.False(t, torch.Defined(after), x.Name)
		case nearly(x):
			requireClose(t, before, after, x.Name)
		default:
			assert.Equal(t, read(t, before), read(t, after), x.Name)
		}
	}
}

const tapeChild = "SPIKEDHS_TAPE_CHILD"

// A pass with a tape has the inside of one cell in memory, not that of all: with eight
// cells in a row less than three quarters, their outputs and gradients included, and what
// libtorch's convolutions keep (0.52 with libtorch 1.13, 0.67 with 2.6 and its newer
// oneDNN). Processes of their own are measured.
func TestTapeSavesMemory(t *testing.T) {
	if kind := os.Getenv(tapeChild); kind != "" {
		trainOnce(t, kind == "taped")
		return
	}
	peak := func(kind string) float64 {
		c := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
		c.Env = append(os.Environ(), tapeChild+"="+kind)
		text, err := c.CombinedOutput()
		require.NoError(t, err, string(text))
		var kilobytes float64
		for line := range strings.Lines(string(text)) {
			if n, _ := fmt.Sscanf(line, "grown by %f kB", &kilobytes); n == 1 {
				return kilobytes
			}
		}
		t.Skip("this system has no /proc/self/status to measure memory with")
		return 0
	}
	kept, taped := peak("kept"), peak("taped")
	t.Logf("%.0f kB kept, %.0f kB taped", kept, taped)
	assert.Greater(t, kept, 100_000.0, "the measurement is of the pass")
	assert.Less(t, taped, 0.75*kept)
}

// trainOnce takes a gradient and prints what the process has grown by.
func trainOnce(t *testing.T, taped bool) {
	peak := func() (kilobytes float64) {
		status, _ := os.ReadFile("/proc/self/status")
		for line := range strings.Lines(string(status)) {
			_, _ = fmt.Sscanf(line, "VmHWM: %f kB", &kilobytes)
		}
		return kilobytes
	}
	s := begin(t, 80)
	o := tinyOptions(0, 0, 0, 0, 0, 0, 0, 0)
	o.Width, o.Unfused, o.Recompute, o.Mixing = 8, true, taped, MixSpike
	n := newNetwork(t, wired(t, threeNodes, nil), o)
	const batch = 32
	images, labels := s.Randn(torch.CPU(), batch, 1, 32, 32), torch.FromSlice(s, make([]int64, batch), batch)
	before := peak()
	tape := NewTape(s)
	out := n.Forward(Pass{Scope: s, Mode: torch.Train, Tape: tape}, images)
	tape.GradientOf(s, s.CrossEntropy(out.Logits, labels), torch.Tensors(n.Variables().Parameters()))
	require.NoError(t, s.Err())
	if before > 0 {
		fmt.Printf("grown by %.0f kB\n", peak()-before)
	}
}
