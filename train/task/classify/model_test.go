package classify

import (
	"encoding/json"
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/export"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/task"
)

func TestAgreementCountsNaNAsADifference(t *testing.T) {
	var a Agreement
	a.compare([]float32{1, 2, 4, 3}, []float32{1, 2.5, 3, 4}, 2)
	assert.Equal(t, Agreement{Images: 2, MaxDifference: 1, SameClass: 1}, a)
	a.compare([]float32{0, 1}, []float32{0, float32(math.NaN())}, 1)
	assert.True(t, math.IsNaN(a.MaxDifference))
	a.compare([]float32{0, 1}, []float32{0, 1}, 1)
	assert.False(t, a.MaxDifference <= agreementTolerance)
}

func TestRankSortsByProbability(t *testing.T) {
	list := rank([]float32{0.25, 0.5, float32(math.NaN()), 0.25}, []string{"a", "b"})
	assert.Equal(t, []Guess{
		{"b", 1, 0.5}, {"a", 0, 0.25}, {"class 3", 3, 0.25}, {"class 2", 2, 0},
	}, list)
}

// A model runs its instructions; an archive without them runs as TorchScript and
// names the same classes.
func TestModelWithoutInstructionsRunsAsScript(t *testing.T) {
	const side, images = 8, 20
	require.NoError(t, torch.Seed(4))
	g, err := genotype.Preset(genotype.PresetClassificationN3)
	require.NoError(t, err)
	c := config.Default()
	c.Network.Levels, c.Network.Steps, c.Train.Width = []int{0, 1}, 2, 3
	n, err := NewNetwork(torch.CPU(), g, c, TrainOptions(c, 1, 10, search.Float32))
	require.NoError(t, err)
	defer n.Close()
	p, err := n.Program(search.Input{Height: side, Width: side, Mean: []float64{0.3}, Deviation: []float64{0.3}})
	require.NoError(t, err)
	defer p.Close()
	info, err := json.Marshal(ModelInfo{Format: plainFormat, Steps: 2, Channels: 1, Height: side, Width: side, Genotype: g})
	require.NoError(t, err)
	instructions, err := p.Description()
	require.NoError(t, err)
	load := func(name string, extra map[string]string) *Model {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, export.TorchScript(p, extra).Save(path))
		m, err := LoadModel(path, torch.CPU())
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, m.Close()) })
		return m
	}
	m := load("new.pt", map[string]string{task.InfoFile: string(info), graph.ProgramFile: instructions})
	require.NotNil(t, m.program)
	assert.Equal(t, torch.CPUKernels("events"), m.program.EventDriven())
	old := load("old.pt", map[string]string{task.InfoFile: string(info)})
	require.Nil(t, old.program)

	pixels := make([]float32, images*side*side)
	for i := range pixels {
		pixels[i] = float32(i*i%97) / 97
	}
	want, err := old.Classify(pixels)
	require.NoError(t, err)
	have, err := m.Classify(pixels)
	require.NoError(t, err)
	same := 0
	for i := range want {
		if want[i][0].Index == have[i][0].Index {
			same++
		}
	}
	assert.GreaterOrEqual(t, same, images-1)
}
