package train

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
)

func TestKernelRules(t *testing.T) {
	own := torch.KernelRules{ConvolutionTF32: true}
	for _, c := range []struct {
		run  config.Run
		want torch.KernelRules
	}{
		{config.Default().Run, torch.KernelRules{Benchmark: true, ConvolutionTF32: true}},
		{config.Run{TF32: "on"}, torch.KernelRules{ConvolutionTF32: true, ProductTF32: true}},
		{config.Run{TF32: "off", CuDNNBenchmark: true}, torch.KernelRules{Benchmark: true}},
		{config.Run{TF32: "auto", CuDNNBenchmark: true, Deterministic: true}, torch.KernelRules{ConvolutionTF32: true, Deterministic: true}},
	} {
		assert.Equal(t, c.want, kernelRules(&c.run, own), "%+v", c.run)
	}
}

// A run folder of a program that knew neither these keys nor others since means their
// defaults, and can be resumed.
func TestResumeOfAFolderWithoutTheKeys(t *testing.T) {
	b := newBench(t)
	b.busyInTwo(t)
	keys := regexp.MustCompile(`(?m)^(cudnn_benchmark|tf32|deterministic) = .*\n`)
	text := b.file(t, "cut", run.ConfigFile)
	require.Len(t, keys.FindAll(text, -1), 3)
	require.NoError(t, os.WriteFile(filepath.Join(b.path("cut"), run.ConfigFile), keys.ReplaceAll(text, nil), 0o644))
	mustTrain(t, b.resume("cut"))
	b.remains(t, "whole").require(t, b.remains(t, "cut"))
	folder, err := run.Open(b.path("cut"))
	require.NoError(t, err)
	assert.True(t, folder.Config().Run.CuDNNBenchmark)
	assert.Equal(t, "auto", folder.Config().Run.TF32)
}

// A run puts its rules in force, and so does what opens its folder; the bits on the
// CPU are the same under all of them.
func TestRunsSetTheirKernelRules(t *testing.T) {
	b := newBench(t)
	mustTrain(t, b.job("plain", busy))
	plain, err := torch.Kernels()
	require.NoError(t, err)
	assert.True(t, plain.Benchmark)
	assert.False(t, plain.Deterministic)

	mustTrain(t, b.job("strict", busy, func(c *config.Config) { c.Run.Deterministic, c.Run.TF32 = true, "off" }))
	strict := torch.KernelRules{Deterministic: true}
	have, err := torch.Kernels()
	require.NoError(t, err)
	assert.Equal(t, strict, have)
	b.remains(t, "plain").require(t, b.remains(t, "strict"))

	require.NoError(t, mustOpen(t, b.path("plain")).Close())
	have, err = torch.Kernels()
	require.NoError(t, err)
	assert.Equal(t, plain, have)
	opened, err := Open(context.Background(), b.path("strict"), "", "")
	require.NoError(t, err)
	require.NoError(t, opened.Close())
	have, err = torch.Kernels()
	require.NoError(t, err)
	assert.Equal(t, strict, have)
}
