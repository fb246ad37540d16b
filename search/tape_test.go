package search

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
)

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
