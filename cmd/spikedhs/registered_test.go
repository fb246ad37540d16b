package main

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spikedhs/spikedhs/data"
)

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
