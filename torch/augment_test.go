package torch

import (
	"fmt"
	"math"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The composed form of augment, for CUDA devices without our kernels, is the CPU's to
// the bit, whatever lies outside of the stored images.
func TestAugmentComposed(t *testing.T) {
	rng := rand.New(rand.NewSource(4))
	const stored, batch, c, h, w = 7, 60, 3, 6, 5
	s := NewInference()
	pixels := make([]uint8, stored*c*h*w)
	for i := range pixels {
		pixels[i] = uint8(rng.Intn(256))
	}
	values := make([]float32, c*256)
	for i := range values {
		values[i] = float32(rng.NormFloat64())
	}
	index, choices := make([]int64, batch), make([]int32, 0, 5*batch)
	for i := range index {
		index[i] = int64(rng.Intn(stored))
		corner := []int32{int32(rng.Intn(20) - 10), int32(rng.Intn(20) - 10)}
		centre := []int32{int32(rng.Intn(12) - 2), int32(rng.Intn(12) - 2)}
		choices = append(choices, corner[0], corner[1], int32(rng.Intn(2)), centre[0], centre[1])
	}
	images := FromSlice(s, pixels, stored, c, h, w)
	drawn := FromSlice(s, choices, batch, 5)
	tables := FromSlice(s, values, c, 256)
	for _, size := range [][2]int{{h, w}, {9, 8}, {2, 3}} {
		for _, cutout := range []int{0, 1, 3, 4, 40} {
			arguments := []any{images, FromSlice(s, index, batch), drawn, tables, size[0], size[1], cutout}
			want, err := ToSlice[float32](s.Tensor("spikedhs::augment", arguments...))
			require.NoError(t, err)
			have, err := ToSlice[float32](s.Tensor("spikedhs::augment_composed", arguments...))
			require.NoError(t, err)
			require.Equal(t, want, have, fmt.Sprint(size, cutout))
		}
	}
	// What does not exist is NaN: looking at the index would make a GPU wait.
	some := FromSlice(s, []int64{0, stored, -1}, 3)
	arguments := []any{images, some, s.Narrow(drawn, 0, 0, 3), tables, h, w, 0}
	have, err := ToSlice[float32](s.Tensor("spikedhs::augment_composed", arguments...))
	require.NoError(t, err)
	for i, v := range have {
		assert.Equal(t, i >= c*h*w, math.IsNaN(float64(v)), "element %d", i)
	}
	require.NoError(t, s.Close())
}
