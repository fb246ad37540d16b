package report

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/train/run"
)

// counts is the activity of a network of two convolutions and a classifier.
func counts() *graph.Activity {
	return &graph.Activity{
		Images: 1000, FiringRate: 0.125, Dense: 3_000_000, Additions: 1_234_567, MACs: 450_000,
		Energy: 0.00318, ANNEnergy: 0.0138, Ratio: 4.34,
		Layers: []graph.LayerActivity{
			{Name: "stem", Output: [3]int{24, 32, 32}, Reads: "analog", Rate: 0.97, Steps: 1, Dense: 450_000, MACs: 450_000, Energy: 0.00207},
			{Name: "cell0_from_s0", Output: [3]int{16, 16, 16}, Reads: "spikes", Rate: 0.2, Steps: 4, Dense: 1_500_000, Additions: 1_200_000, Energy: 0.00108},
			{Name: "head", Output: [3]int{10, 1, 1}, Reads: "spikes", Rate: 0.05, Steps: 4, Dense: 2400, Additions: 480, Energy: 0.0000004},
		},
		Neurons: []graph.NeuronActivity{
			{Name: "stem", Shape: [3]int{24, 32, 32}, Rate: 0.2}, {Name: "cell0_n0", Shape: [3]int{8, 16, 16}, Rate: 0.05},
		},
	}
}

// addActivity puts it into the evaluation of a run.
func addActivity(t testing.TB, f *run.Folder, a *graph.Activity) {
	t.Helper()
	text, err := os.ReadFile(f.Path(evaluationFile))
	require.NoError(t, err)
	var e evaluation
	require.NoError(t, json.Unmarshal(text, &e))
	e.Activity = a
	text, err = json.Marshal(e)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(f.Path(evaluationFile), text, 0o600))
}

func TestActivityIsShown(t *testing.T) {
	dir := folder(t, "demo")
	f := demoRun(t, dir)
	addActivity(t, f, counts())
	page := write(t, dir)
	assert.Contains(t, page, "<h3>Sparsity and energy</h3>")
	assert.Contains(t, page, "4.3 times as much")
	assert.Contains(t, page, "cell0_n0")
	assert.Contains(t, page, "16×16×16, s = 0.200")
	assert.Equal(t, 1, strings.Count(page, `<rect class="wrong" x="`+number(13*charWidth+14)), "the analog stem is in the other colour")
	assert.Contains(t, page, `width="66" height="11"`, "a rate of 0.2 is a fifth of the length")
}

func TestActivityThatCannotBe(t *testing.T) {
	for name, change := range map[string]func(*graph.Activity){
		"rate above one": func(a *graph.Activity) { a.Neurons[1].Rate = 1.5 },
		"rate below":     func(a *graph.Activity) { a.Layers[0].Rate = -0.1 },
		"energy below":   func(a *graph.Activity) { a.Layers[0].Energy = -1 },
		"no layers":      func(a *graph.Activity) { a.Layers = nil },
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, "demo")
			f := demoRun(t, dir)
			a := counts()
			change(a)
			addActivity(t, f, a)
			page := write(t, dir)
			assert.NotContains(t, page, "Sparsity and energy")
			assert.Contains(t, page, "firing rates must be 0 to 1")
		})
	}
}

// An ANN has no neurons to show, but layers.
func TestActivityOfAnANN(t *testing.T) {
	a := counts()
	a.Neurons = nil
	v := newActivityView(a, "image")
	assert.Empty(t, v.Neurons)
	assert.Contains(t, string(v.Layers), "stem")
	assert.Nil(t, newActivityView(nil, "image"))
}
