package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/task/classify"
)

func TestWrongCommandLines(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, test := range []struct {
		line string
		says []string
	}{
		{"serch", []string{"unknown command serch", "did you mean search?"}},
		{"frobnicate", []string{"unknown command frobnicate", "choose one of search, train"}},
		{"data inf", []string{"unknown command inf", "did you mean info?"}},
		{"help frobnicate", []string{"frobnicate"}},
		{"--frobnicate", []string{"unknown flag --frobnicate"}},
		{"train --confg x", []string{"train: unknown flag --confg", "did you mean --config?", "spikedhs train --help"}},
		{"data info --frobnicate", []string{"data info: unknown flag --frobnicate"}},
		{"train --seed many", []string{"--seed", "many"}},
		{"train --seed -1", []string{"--seed -1", "at least 0"}},
		{"train --max-steps 0", []string{"--max-steps 0", "at least 1"}},
		{"train --precision float64", []string{"--precision float64", "float32"}},
		{"train --device tpu", []string{"--device", "tpu", "want auto, cpu, cuda or cuda:N"}},
		{"train --log-format xml", []string{"--log-format xml", "text, json"}},
		{"train --config", []string{"--config"}},
		{"train extra", []string{`unexpected argument "extra"`}},
		{"config print extra", []string{`config print: unexpected argument "extra"`}},
		{"eval", []string{"--run is missing"}},
		{"export", []string{"--run is missing"}},
		{"infer image.png", []string{"--model is missing"}},
		{"report", []string{"at least one run folder"}},
		{"report nowhere", []string{"nowhere", "not a run folder"}},
		{"eval --run nowhere", []string{"nowhere", "not a run folder"}},
		{"train --resume --out nowhere", []string{"nowhere", "not a run folder"}},
		{"train --resume --out nowhere --seed 3", []string{"nowhere", "not a run folder"}},
		{"search --config nowhere.toml", []string{"nowhere.toml"}},
		{"search --config nowhere", []string{"no preset and no file", "cifar10-paper"}},
		{"train --genotype nowhere.json", []string{"nowhere.json", "spikedhs-cla-n3"}},
		{"train --config cifar10-paper", []string{"train.genotype is empty", "--genotype"}},
		{"genotype show", []string{"name one genotype"}},
		{"genotype show nowhere", []string{"nowhere", "spikedhs-cla-n3"}},
		{"data info frobnicate", []string{"unknown data set", "cifar10"}},
		{"data fetch", []string{"name one data set"}},
		{"data fetch frobnicate", []string{"unknown data set", "cifar10"}},
		{"data info fashion-mnist --dir .", []string{"data not found", "`spikedhs data fetch fashion-mnist --dir .`"}},
		{"demo --set data.path=.", []string{"data not found", "`spikedhs data fetch fashion-mnist --dir .`", "--fetch"}},
		{"infer --model nowhere.pt image.png", []string{"nowhere.pt"}},
	} {
		t.Run(test.line, func(t *testing.T) {
			refused(t, strings.Fields(test.line), test.says...)
		})
	}
}

func TestWrongConfiguration(t *testing.T) {
	inWorkFolder(t)
	train := func(more ...string) []string {
		return append([]string{"train", "--config", "tiny.toml", "--out", "run"}, more...)
	}
	t.Run("unknown key", func(t *testing.T) {
		refused(t, train("--set", "train.epoch=3"), "--set train.epoch=3", "unknown key train.epoch", "did you mean train.epochs?")
	})
	t.Run("unknown key in a file", func(t *testing.T) {
		require.NoError(t, os.WriteFile("bad.toml", []byte("[train]\nepochs = 1\nrate = 2\n"), 0o644))
		refused(t, []string{"search", "--config", "bad.toml"}, "bad.toml:3", "train.rate")
	})
	t.Run("wrong type", func(t *testing.T) {
		refused(t, train("--set", "train.lr=fast"), "train.lr wants a number")
	})
	t.Run("value out of range", func(t *testing.T) {
		refused(t, train("--set", "network.steps=0"), "network.steps")
	})
	t.Run("edge of a genotype out of range", func(t *testing.T) {
		text, err := os.ReadFile("found.json")
		require.NoError(t, err)
		require.Contains(t, string(text), `"edge": 4`)
		require.NoError(t, os.WriteFile("bad.json", []byte(strings.Replace(string(text), `"edge": 4`, `"edge": 40`, 1)), 0o644))
		refused(t, train("--genotype", "bad.json"), "bad.json", "edges[3]", "40")
	})
	t.Run("no CUDA", func(t *testing.T) {
		if torch.CUDAMissing() == "" {
			t.Skip("this machine has CUDA")
		}
		refused(t, train("--device", "cuda"), "cuda", "--device cpu")
		refused(t, train("--set", "run.device=cuda"), "run.device", "cuda")
	})
}

func TestBrokenData(t *testing.T) {
	inWorkFolder(t)
	t.Run("wrong magic", func(t *testing.T) {
		path := filepath.Join("images", "train-images-idx3-ubyte")
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		text[3]++
		require.NoError(t, os.WriteFile(path, text, 0o644))
		refused(t, []string{"train", "--config", "tiny.toml", "--out", "run"}, "train-images-idx3-ubyte", "bad data format", "starts with 00 00 08 04")
	})
	t.Run("truncated CIFAR file", func(t *testing.T) {
		require.NoError(t, os.Mkdir("cifar-10-batches-bin", 0o755))
		require.NoError(t, os.WriteFile("cifar-10-batches-bin/data_batch_1.bin", make([]byte, 5000), 0o644))
		refused(t, []string{"train", "--config", "cifar10-paper", "--genotype", "spikedhs-cla-n3", "--set", "data.path=.", "--out", "run"},
			"data_batch_1.bin", "bad data format", "truncated")
	})
}

func TestTruncatedArchive(t *testing.T) {
	const name = "cifar-10-binary.tar.gz"
	whole, err := os.Open(filepath.Join(realData(t, name), name))
	require.NoError(t, err)
	defer whole.Close()
	t.Chdir(t.TempDir())
	part, err := os.Create(name)
	require.NoError(t, err)
	_, err = io.CopyN(part, whole, 1<<20)
	require.NoError(t, errors.Join(err, part.Close()))
	refused(t, []string{"train", "--config", "cifar10-paper", "--genotype", "spikedhs-cla-n3", "--set", "data.path=.", "--out", "run"},
		name, "bad data format", "truncated")
}

func TestFolderInUse(t *testing.T) {
	inWorkFolder(t)
	trained(t, "run", "--max-steps", "1")
	for _, command := range []string{"search", "train", "demo"} {
		refused(t, []string{command, "--config", "tiny.toml", "--out", "run"}, "run folder run exists", "--resume")
	}
	refused(t, []string{"train", "--resume", "--out", "run", "--set", "train.lr=0.5"}, "train.lr", "leave them out")
	refused(t, []string{"demo", "--resume", "--out", "run", "--set", "train.lr=0.5"}, "train.lr", "leave them out")
	refused(t, []string{"search", "--resume", "--out", "run"}, "belongs to a train run")
}

func TestCheckpointOfAnotherArchitecture(t *testing.T) {
	inWorkFolder(t)
	trained(t, "narrow", "--max-steps", "1")
	trained(t, "wide", "--max-steps", "1", "--set", "train.width=5")
	other := filepath.Join("wide", "checkpoints", "last.safetensors")
	for _, command := range []string{"eval", "export"} {
		refused(t, []string{command, "--run", "narrow", "--checkpoint", other}, other, "another architecture")
	}
	text, err := os.ReadFile(other)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join("narrow", "checkpoints", "last.safetensors"), text, 0o644))
	refused(t, []string{"train", "--resume", "--out", "narrow"}, "another architecture")
	require.NoError(t, os.WriteFile(other, text[:len(text)/2], 0o644))
	refused(t, []string{"train", "--resume", "--out", "wide"}, other, "unusable checkpoint")
}

func TestExitCode(t *testing.T) {
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	wrapped := func(err error) error { return fmt.Errorf("somewhere: %w", err) }
	for _, test := range []struct {
		ctx  context.Context
		err  error
		want int
	}{
		{context.Background(), nil, exitDone},
		{context.Background(), errors.New("disk full"), exitFailed},
		{context.Background(), wrapped(classify.ErrDisagree), exitFailed},
		{context.Background(), wrapped(usagef("no")), exitUsage},
		{context.Background(), wrapped(classify.ErrModel), exitUsage},
		{context.Background(), wrapped(context.Canceled), exitFailed},
		{cancelled, wrapped(context.Canceled), exitInterrupted},
		{cancelled, wrapped(train.ErrInterrupted), exitInterrupted},
		{cancelled, errors.New("disk full"), exitFailed},
	} {
		require.Equal(t, test.want, exitCode(test.ctx, test.err), "%v", test.err)
	}
}

func TestErrorIsOneLine(t *testing.T) {
	require.Equal(t, "a b c", oneLine(errors.Join(errors.New("a\n\tb"), errors.New("c"))))
	require.Equal(t, "interrupted", oneLine(fmt.Errorf("mnist: %w", context.Canceled)))
}

func TestPanicIsOneLine(t *testing.T) {
	var b bytes.Buffer
	reportPanic(&b, []string{"spikedhs", "train"}, errors.New("index\nout of range"))
	require.Regexp(t, `^spikedhs: internal error: index out of range; repeat the command with -v [^\n]+\n$`, b.String())
	b.Reset()
	reportPanic(&b, []string{"spikedhs", "train", "-v"}, "x")
	require.Contains(t, b.String(), "errors_test.go")
}
