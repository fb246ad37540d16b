package classify

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data"
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

// Images are put aside once, all of the others stay, and the seed alone decides.
func TestPutAside(t *testing.T) {
	const n = 20
	pixels := make([]byte, n)
	for i := range pixels {
		pixels[i] = byte(i)
	}
	set, err := data.NewMemory("numbers", []string{"a"}, 1, 1, 1, pixels, make([]int, n))
	require.NoError(t, err)
	numbers := func(s data.Dataset) (list []byte) {
		for i := range s.Len() {
			one := make([]byte, 1)
			_, err := s.Image(i, one)
			require.NoError(t, err)
			list = append(list, one[0])
		}
		return list
	}
	rest, validation, err := putAside(set, 6, 3)
	require.NoError(t, err)
	assert.Len(t, numbers(validation), 6)
	assert.ElementsMatch(t, pixels, append(numbers(rest), numbers(validation)...))
	_, again, err := putAside(set, 6, 3)
	require.NoError(t, err)
	assert.Equal(t, numbers(validation), numbers(again))
	_, other, err := putAside(set, 6, 4)
	require.NoError(t, err)
	assert.NotEqual(t, numbers(validation), numbers(other))
	_, _, err = putAside(set, n, 3)
	assert.ErrorIs(t, err, config.ErrInvalid)
}
