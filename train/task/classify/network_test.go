package classify

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train/config"
)

// A checkpoint of one variant is not one of another.
func TestCheckpointsOfVariantsDiffer(t *testing.T) {
	g, err := genotype.Preset(genotype.PresetClassificationN3)
	require.NoError(t, err)
	c := config.Default()
	usual := fingerprint(g, TrainOptions(c, 1, 10, search.Float32))
	assert.NotContains(t, usual, "stem")
	seen := map[string]bool{usual: true}
	for _, change := range []func(*config.Config){
		func(c *config.Config) { c.Network.StemStrides = []int{2} },
		func(c *config.Config) { c.Network.StemStrides = []int{2, 2} },
		func(c *config.Config) { c.Network.Activation = "relu" },
	} {
		c := config.Default()
		change(c)
		name := fingerprint(g, TrainOptions(c, 1, 10, search.Float32))
		assert.False(t, seen[name], name)
		seen[name] = true
	}
}
