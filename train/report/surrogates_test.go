package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// addLayers writes the records of watched layers; the temperature of layer i falls by
// a tenth of i each epoch.
func addLayers(t testing.TB, dir string, layers, epochs int) {
	f := newRun(t, dir)
	var l lines
	for e := 1; e <= epochs; e++ {
		for i := range layers {
			l.add(t, layerEpoch, float64(e), map[string]any{
				"epoch": e, "step": 10 * e, "layer": fmt.Sprintf("cell%d.node0", i), "temperature": 3 - 0.1*float64(i*e),
				"gradient_norm": 0.25 / float64(e), "support": 0.5, "useless": 0.6, "firing_rate": 0.1,
			})
		}
	}
	l.save(t, f)
}

func TestChartsOfLayers(t *testing.T) {
	dir := folder(t, "watched")
	addLayers(t, dir, 2, 4)
	text := write(t, dir)
	for _, want := range []string{
		"<h3>Surrogate gradients</h3>", "Temperature of the surrogate gradient", "2.6000", "Norm of the gradient of a layer", "0.0625",
		"Neurons inside of the surrogate", "50.00", "cell1.node0, epoch 4: 2.6000",
	} {
		assert.Contains(t, text, want)
	}
	plain := folder(t, "plain")
	demoRun(t, plain)
	assert.NotContains(t, write(t, plain), "Surrogate gradients")
}

// Of many layers the charts show those that moved most.
func TestChartsOfManyLayers(t *testing.T) {
	dir := folder(t, "watched")
	addLayers(t, dir, 12, 2)
	text := write(t, dir)
	assert.Contains(t, text, "Temperature of the surrogate gradient (8 of 12 layers)")
	for i := range 12 {
		assert.Equal(t, i >= 4, strings.Contains(text, fmt.Sprintf("cell%d.node0", i)), "layer %d", i)
	}
}

// Records that are not what they should be are passed over.
func TestOddRecordsOfLayers(t *testing.T) {
	dir := folder(t, "odd")
	f := newRun(t, dir)
	var l lines
	l.add(t, layerEpoch, 1, map[string]any{"epoch": 1, "layer": 7, "temperature": 2})
	l.add(t, layerEpoch, 1, map[string]any{"layer": "stem0", "temperature": "hot"})
	l.save(t, f)
	assert.NotContains(t, write(t, dir), "Surrogate gradients")
}
