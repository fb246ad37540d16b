package train

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/task/classify"
)

// network.surrogate knows every family that is built in, and reaches all neurons
// of search and training.
func TestEveryFamilyIsAConfiguration(t *testing.T) {
	own, err := spike.Register("of-train", func(x, b float64) float64 { return b / (1 + b*b*x*x) })
	require.NoError(t, err)
	for _, family := range spike.Families() {
		c := config.Default()
		c.Network.Surrogate = family.String()
		require.NoError(t, c.Validate(), family)
		for _, o := range []search.Options{
			classify.TrainOptions(c, 1, 10, search.Float32), classify.SearchOptions(c, 1, 10, search.Float32),
		} {
			assert.Equal(t, family, o.Neuron.Surrogate)
			assert.NoError(t, o.Validate())
		}
	}
	assert.Contains(t, spike.Families(), own)

	c := config.Default()
	assert.Equal(t, spike.DefaultSurrogate, classify.TrainOptions(c, 1, 10, search.Float32).Neuron.Surrogate)
	c.Network.Surrogate = "go:nobody"
	require.NoError(t, c.Validate(), "only a network knows what is registered")
	o := classify.TrainOptions(c, 1, 10, search.Float32)
	assert.ErrorIs(t, o.Validate(), spike.ErrSurrogate)
}
