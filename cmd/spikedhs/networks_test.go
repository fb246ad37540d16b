package main

import (
	"context"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/train/run"
)

// The parameter counts of the paper's networks, on both data sets and on ImageNet.
func TestGenotypeParams(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct {
		args       []string
		parameters float64
	}{
		{[]string{"--config", "cifar10-n3"}, 14_293_758},
		{[]string{"--config", "cifar10-n4"}, 11_691_390},
		{[]string{"--config", "cifar100-n3"}, 14_345_868},
		{[]string{"--config", "cifar100-n4"}, 11_743_500},
		{[]string{"--config", "cifar10-paper", "--set", "train.width=48", "spikedhs-cla-n3"}, 14_293_758},
		{[]string{"--config", "cifar10-n3", "--classes", "100"}, 14_345_868},
		{[]string{"--config", "imagenet-paper"}, 59_644_728},
	} {
		v := object(t, done(t, append([]string{"genotype", "params", "--json"}, c.args...)...))
		assert.Equal(t, c.parameters, number(t, v, "parameters"), "%v", c.args)
		var parameters, macs float64
		for _, part := range v["parts"].([]any) {
			parameters += number(t, part.(map[string]any), "parameters")
			macs += number(t, part.(map[string]any), "macs")
		}
		assert.Equal(t, c.parameters, parameters, "the parts of %v", c.args)
		assert.Equal(t, macs, number(t, v, "macs"))
	}
	// Cell 0 of the published network: four convolutions of 144 channels and two of 48.
	out := done(t, "genotype", "params", "--config", "cifar100-n3").stdout
	assert.Contains(t, out, "parameters  14,345,868, without the auxiliary classifier")
	assert.Regexp(t, `(?m)^cell0 +144x32x32 +291,168 +297,271,296$`, out)
	assert.Regexp(t, `(?m)^head +100x1x1 +57,900 +57,600$`, out)
	v := object(t, done(t, "genotype", "params", "--config", "cifar10-n3", "--size", "17x9", "--channels", "1", "--json"))
	parts := v["parts"].([]any)
	require.Equal(t, []any{576.0, 5.0, 3.0}, parts[len(parts)-2].(map[string]any)["output"], "odd sides round up")
	refused(t, []string{"genotype", "params"}, "name a genotype")
	refused(t, []string{"genotype", "params", "spikedhs-cla-n3", "--size", "32x"}, "--size 32x")
	refused(t, []string{"genotype", "params", "spikedhs-cla-n3", "--classes", "0"}, "--classes 0")
	refused(t, []string{"genotype", "params", "nowhere.json"}, "nowhere.json")
}

// What eval says about energy, computed again from shapes and firing rates.
func TestEvaluateSaysSparsityAndEnergy(t *testing.T) {
	inWorkFolder(t)
	trained(t, "run")
	v := object(t, done(t, "eval", "--run", "run", "--json"))
	a := v["activity"].(map[string]any)
	require.EqualValues(t, 60, a["images"])
	require.Equal(t, true, a["binary"])
	var energy, ann float64
	layers := a["layers"].([]any)
	for i, one := range layers {
		l := one.(map[string]any)
		in, out := l["input"].([]any), l["output"].([]any)
		kernel := number(t, l, "kernel")
		dense := in[0].(float64) * out[0].(float64) * out[1].(float64) * out[2].(float64) * kernel * kernel
		rate, steps := number(t, l, "rate"), number(t, l, "steps")
		require.True(t, rate >= 0 && rate <= 1, "%v", l)
		require.Equal(t, dense, number(t, l, "dense_macs"))
		if i == 0 || i == len(layers)-1 { // the stem reads images, the classifier rates
			require.Equal(t, "analog", l["reads"])
			require.Equal(t, steps*dense, number(t, l, "macs"))
		} else {
			require.Equal(t, "spikes", l["reads"])
			require.InDelta(t, rate*steps*dense, number(t, l, "additions"), 1e-6*dense)
		}
		energy += 0.9e-9*number(t, l, "additions") + 4.6e-9*number(t, l, "macs")
		ann += 4.6e-9 * dense
	}
	require.InEpsilon(t, energy, number(t, a, "energy_mj"), 1e-9)
	require.InEpsilon(t, ann/energy, number(t, a, "energy_ratio"), 1e-9)
	require.NotEmpty(t, a["neurons"])
	require.Equal(t, a["energy_mj"], v["energy_mj"])
	require.Equal(t, a["energy_ratio"], v["energy_ratio"])
	require.Len(t, v["layers"], len(layers))
	for i, one := range v["layers"].([]any) {
		require.Equal(t, layers[i].(map[string]any)["rate"], one.(map[string]any)["firing_rate"])
	}

	out := done(t, "eval", "--run", "run").stdout
	require.Contains(t, out, "sparsity and energy of one image, mean of 60 images")
	require.Regexp(t, `(?m)^energy +[0-9.]+ mJ an image; the ANN of the same architecture [0-9.]+ mJ, [0-9.]+ times as much$`, out)
	require.Regexp(t, `(?m)^binary +yes: .*60 images`, out)
	require.Regexp(t, `(?m)^cell0_n0 +3x32x32 +0\.[0-9]{4}$`, out)
	done(t, "report", "run")
	page, err := os.ReadFile(filepath.Join("run", "report.html"))
	require.NoError(t, err)
	require.Contains(t, string(page), "Sparsity and energy")
}

// The ANN of the same architecture, and binary neurons, by settings alone.
func TestEvaluateOfAnANN(t *testing.T) {
	inWorkFolder(t)
	trained(t, "ann", "--set", "network.activation=relu", "--set", "network.steps=1")
	out := done(t, "eval", "--run", "ann").stdout
	require.Contains(t, out, "1.00 times as much")
	require.Contains(t, out, "binary      no")
	done(t, "export", "--run", "ann", "--check", "--check-images", "20")
	refused(t, []string{"train", "--config", "tiny.toml", "--out", "no", "--set", "network.activation=relu"}, "network.steps = 1, not 2")
}

// A genotype found by a search on one data set, with two nodes, trains on another
// under a configuration for four.
func TestGenotypeOfAnotherDataSet(t *testing.T) {
	inWorkFolder(t)
	done(t, "search", "--config", "tiny.toml", "--out", "found", "--max-steps", "8", "--set", "search.warmup_epochs=0", "--set", "search.epochs=1")
	genotype := filepath.Join("found", run.GenotypeFile)
	require.FileExists(t, genotype)
	r := done(t, "train", "--genotype", genotype, "--config", "fashion-mnist", "--out", "moved", "-v", "--max-steps", "2",
		"--set", "data.name=mnist", "--set", "data.path=images", "--set", "data.pad=0", "--set", "network.nodes=4", "--set", "network.downsample=nearest",
		"--set", "network.steps=2", "--set", "train.width=2", "--set", "train.batch=8", "--set", "run.device=cpu", "--set", "run.threads=1", "--set", "run.precision=float32")
	require.Contains(t, r.stderr, "the genotype decides nodes and down-sampling")
	require.Contains(t, r.stdout, "2 nodes, down-sampling: reduction")
	folder, err := run.Open("moved")
	require.NoError(t, err)
	require.Equal(t, 2, folder.Config().Network.Nodes)
	require.Equal(t, "reduction", folder.Config().Network.Downsample)
	require.Equal(t, "mnist", folder.Config().Data.Name)
}

// sums adds up what the nodes of a printed graph say, and checks that each reads earlier ones.
func sums(t *testing.T, v map[string]any) (parameters, macs float64) {
	t.Helper()
	inputs := len(v["inputs"].([]any))
	for i, one := range v["nodes"].([]any) {
		n := one.(map[string]any)
		for _, k := range n["inputs"].([]any) {
			assert.True(t, k.(float64) < float64(i) && k.(float64) >= float64(-inputs), "node %d reads %v", i, k)
		}
		parameters, macs = parameters+number(t, n, "parameters"), macs+number(t, n, "macs")
	}
	assert.Equal(t, number(t, v, "parameters"), parameters)
	assert.Equal(t, number(t, v, "macs"), macs)
	return parameters, macs
}

// The graph counts what genotype params does, and folding leaves of each normalisation
// nothing but a bias: two numbers a channel less, and the same arithmetic.
func TestGraphOfAGenotype(t *testing.T) {
	t.Chdir(t.TempDir())
	args := []string{"--config", "cifar10-n3", "--set", "train.auxiliary_weight=0", "--json"}
	v := object(t, done(t, append([]string{"graph", "spikedhs-cla-n3"}, args...)...))
	parameters, macs := sums(t, v)
	assert.Equal(t, 14_293_758.0, parameters)
	want := object(t, done(t, "genotype", "params", "--config", "cifar10-n3", "--json"))
	assert.Equal(t, number(t, want, "macs"), macs)

	folded := object(t, done(t, append([]string{"graph", "spikedhs-cla-n3", "--after", "folded"}, args...)...))
	assert.Equal(t, "folded", folded["after"])
	left, same := sums(t, folded)
	assert.Equal(t, macs, same)
	channels := 0.0
	for _, one := range folded["nodes"].([]any) {
		if n := one.(map[string]any); number(t, n, "parameters") > 0 {
			channels += n["shape"].([]any)[1].(float64)
		}
	}
	assert.Equal(t, parameters-2*channels, left)

	out := done(t, "graph", "spikedhs-cla-n3", "--config", "cifar10-n3").stdout
	assert.Regexp(t, `(?m)^ +0 +stem0 +conv +144x32x32 once +4,320 +3,981,312 +images $`, out)
	assert.Regexp(t, `(?m)^ +3 +cell0.node0 +node +48x32x32 +0 +0 +2 1 $`, out)
	refused(t, []string{"graph"}, "name one run folder or genotype")
	refused(t, []string{"graph", "nowhere.json"}, "nowhere.json")
	refused(t, []string{"graph", "spikedhs-cla-n3", "--after", "lunch"}, "choose one of training, folded")
	refused(t, []string{"graph", "spikedhs-stereo", "--config", "cifar10-n3"}, "is a genotype for stereo")
}

// Networks of two views, whose depth lies in the images.
func TestGraphOfTwoViews(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, after := range []string{"training", "folded"} {
		v := object(t, done(t, "graph", "spikedhs-stereo", "--after", after, "--json"))
		assert.Equal(t, []any{"left", "right"}, v["inputs"])
		parameters, _ := sums(t, v)
		assert.InDelta(t, 870_000, parameters, 10_000, "the paper's 0.87 M")
		nodes := v["nodes"].([]any)
		assert.Equal(t, []any{-1.0, -2.0}, nodes[0].(map[string]any)["inputs"])
		assert.Equal(t, []any{1.0, 32.0, 260.0, 346.0}, nodes[len(nodes)-1].(map[string]any)["shape"])
	}
}

// A run has its configuration; its drawing is well-formed and names every node.
func TestGraphOfARun(t *testing.T) {
	inWorkFolder(t)
	trained(t, "run")
	v := object(t, done(t, "graph", "run", "--json"))
	assert.Equal(t, "hand-made", v["genotype"])
	first := v["nodes"].([]any)[0].(map[string]any)
	assert.Equal(t, []any{1.0, 6.0, 32.0, 32.0}, first["shape"], "F = 3, two nodes")
	done(t, "graph", "run", "--svg", "run.svg")
	picture, err := os.ReadFile("run.svg")
	require.NoError(t, err)
	decoder := xml.NewDecoder(strings.NewReader(string(picture)))
	for err = nil; err == nil; {
		_, err = decoder.Token()
	}
	require.ErrorIs(t, err, io.EOF)
	for _, one := range v["nodes"].([]any) {
		assert.Contains(t, string(picture), ">"+one.(map[string]any)["name"].(string)+"<")
	}
	require.NoError(t, os.Remove(filepath.Join("run", "genotype.json")))
	refused(t, []string{"graph", "run"}, "genotype.json")
}

// registerBars adds a data set of a program's own: bars on the left or on the right.
var registerBars = sync.OnceFunc(func() {
	classes := []string{"left", "right"}
	data.Register(data.Source{
		Name: "bars", Channels: 1, Height: 8, Width: 8, Classes: classes,
		Open: func(_ context.Context, _ string, split data.Split, _ data.OpenOptions) (data.Dataset, error) {
			n := map[data.Split]int{data.Train: 40, data.Test: 10}[split]
			pixels, labels := make([]byte, 64*n), make([]int, n)
			for i := range n {
				labels[i] = i % 2
				for y := range 8 {
					pixels[64*i+8*y+4*labels[i]+i%4] = 255
				}
			}
			return data.NewMemory("bars", classes, 1, 8, 8, pixels, labels)
		},
	})
})

// A registered data set is searched on, trained on and inferred from by its name; what
// commands say of data sets, they say of it.
func TestRegisteredDataSet(t *testing.T) {
	registerBars()
	inWorkFolder(t)
	common := []string{
		"--config", "tiny.toml", "--set", "data.name=bars", "--set", "data.path=", "--set", "data.pad=0",
		"--set", "network.levels=[0, 1]", "--set", "train.crop_padding=0", "--set", "search.epochs=1", "--set", "search.warmup_epochs=0",
	}
	done(t, append([]string{"search", "--out", "search"}, common...)...)
	done(t, append([]string{"train", "--out", "run", "--genotype", "search/genotype.json", "--set", "train.epochs=4", "--set", "train.flip=false"}, common...)...)
	v := object(t, done(t, "eval", "--run", "run", "--json"))
	assert.Equal(t, []any{"left", "right"}, v["classes"])
	assert.Greater(t, number(t, v, "top1"), 80.0, "a glance tells them apart")
	done(t, "export", "--run", "run")
	r := done(t, "infer", "--model", "run/model.pt", "--dataset", "bars", "--index", "3")
	assert.Contains(t, r.stdout, "(it is right)")
	info := object(t, done(t, "data", "info", "bars", "--json"))
	assert.EqualValues(t, 40, info["train"])
	refused(t, []string{"search", "--config", "tiny.toml", "--set", "data.name=bar", "--out", "x"}, "data.name", "bars")
}
