package classify

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/train/config"
)

func TestConfiguredNormalization(t *testing.T) {
	c := config.Default()
	c.Data.Name = "imagenet"
	mean, std, err := normalization(c)
	require.NoError(t, err)
	assert.Equal(t, []float32{0.485, 0.456, 0.406}, mean)
	assert.Equal(t, []float32{0.229, 0.224, 0.225}, std)
	c.Data.Mean, c.Data.Std = []float64{0.25}, []float64{0.5}
	mean, std, err = normalization(c)
	require.NoError(t, err)
	assert.Equal(t, [][]float32{{0.25}, {0.5}}, [][]float32{mean, std})
}
