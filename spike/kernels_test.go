package spike

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
)

// kernelsVariable asks for the kernels of a lesser processor; see cpp/cpu/isa.h.
const kernelsVariable = "SPIKEDHS_KERNELS"

// digest is what this process computes, in a word.
func digest(t *testing.T) string {
	t.Helper()
	require.NoError(t, torch.Seed(5))
	h := sha256.New()
	for _, dtype := range []int8{torch.Float32, torch.BFloat16} {
		for _, b := range []float64{1.8, 3, 5} {
			s := torch.NewScope()
			u := s.Detach(s.Cast(s.Randn(torch.CPU(), 7*4, 1021), dtype))
			require.NoError(t, torch.RequireGradient(u, true))
			y := s.Tensor("spikedhs::lif", u, s.Full(torch.CPU(), b), 0.2, 0.5, 7)
			weight := s.Cast(s.Randn(torch.CPU(), 7*4, 1021), dtype)
			for _, x := range []torch.Tensor{y, s.GradientOf(s.Sum(s.Mul(y, weight)), []torch.Tensor{u})[0]} {
				require.NoError(t, binary.Write(h, binary.LittleEndian, read(t, x)))
			}
			require.NoError(t, s.Close())
		}
	}
	return fmt.Sprintf("digest %x", h.Sum(nil))
}

// TestKernelsDigest is what TestKernelsOfLesserProcessors runs in other processes.
func TestKernelsDigest(t *testing.T) { t.Log(digest(t)) }

// What other processors run passes the same tests, and where there are fused
// multiply-adds, which round once, all kernels agree to the last bit.
func TestKernelsOfLesserProcessors(t *testing.T) {
	if os.Getenv(kernelsVariable) != "" {
		t.Skip("runs in the processes that this test starts")
	}
	if !torch.CPUKernels("lif") {
		t.Skip("this build has no kernels of the family lif")
	}
	fused := regexp.MustCompile(`(?m)^flags\s*:.*\bfma\b`)
	cpu, err := os.ReadFile("/proc/cpuinfo")
	here := digest(t)
	for _, name := range []string{"generic", "avx2", "avx512"} {
		c := exec.Command(os.Args[0], "-test.run", "^(TestLIF|TestDspike|TestKernelsDigest)", "-test.v")
		c.Env = append(os.Environ(), kernelsVariable+"="+name)
		out, failed := c.CombinedOutput()
		assert.NoError(t, failed, "%s: %s", name, out)
		if name != "generic" && err == nil && fused.Match(cpu) {
			assert.True(t, bytes.Contains(out, []byte(here)), "%s: other digits than here", name)
		}
	}
}
