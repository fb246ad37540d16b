package data

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func labelsOf(t *testing.T, set Dataset) []int {
	t.Helper()
	pixels, labels := readAll(t, set)
	for i, label := range labels {
		require.Equal(t, byte(label), pixels[i], "pixels and label belong together")
	}
	return labels
}

func TestSubset(t *testing.T) {
	indices := []int{4, 0, 4, 2}
	set, err := Subset(numbered(t, 5), indices)
	require.NoError(t, err)
	indices[0] = 1
	assert.Equal(t, []int{4, 0, 4, 2}, labelsOf(t, set))

	inner, err := Subset(set, []int{3, 0})
	require.NoError(t, err)
	assert.Equal(t, []int{2, 4}, labelsOf(t, inner))

	_, err = set.Image(4, make([]byte, 1))
	assert.Error(t, err)
	for _, bad := range []int{-1, 5} {
		_, err = Subset(numbered(t, 5), []int{0, bad})
		assert.ErrorContains(t, err, "not in 0..4")
	}
}

func TestTake(t *testing.T) {
	set := numbered(t, 200)
	short, err := Take(set, 20, 3)
	require.NoError(t, err)
	long, err := Take(set, 200, 3)
	require.NoError(t, err)
	other, err := Take(set, 20, 4)
	require.NoError(t, err)

	all := labelsOf(t, long)
	assert.Equal(t, all[:20], labelsOf(t, short), "a longer take begins like a shorter one")
	assert.NotEqual(t, labelsOf(t, short), labelsOf(t, other), "the seed matters")
	assert.False(t, slices.IsSorted(all))
	slices.Sort(all)
	for i, label := range all {
		require.Equal(t, i, label, "every image once")
	}
	for _, n := range []int{0, -1, 201} {
		_, err = Take(set, n, 3)
		assert.ErrorContains(t, err, "choose 1..200")
	}
}

func TestHalvesAreDisjointAndEqual(t *testing.T) {
	for _, n := range []int{0, 1, 2, 101, 200} {
		a, b := Halves(numbered(t, n), 5)
		require.Equal(t, n/2, a.Len())
		require.Equal(t, n/2, b.Len())
		both := append(labelsOf(t, a), labelsOf(t, b)...)
		slices.Sort(both)
		assert.Len(t, slices.Compact(both), n/2*2)
	}
	a, _ := Halves(numbered(t, 200), 5)
	again, _ := Halves(numbered(t, 200), 5)
	other, _ := Halves(numbered(t, 200), 6)
	assert.Equal(t, labelsOf(t, a), labelsOf(t, again))
	assert.NotEqual(t, labelsOf(t, a), labelsOf(t, other))
}
