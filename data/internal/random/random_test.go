package random

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A checkpoint written today must find the same order tomorrow.
func TestPermutationIsPinned(t *testing.T) {
	assert.Empty(t, Permutation(0, 1, Order, 0))
	assert.Equal(t, []int{6, 3, 2, 5, 7, 8, 1, 4, 0, 9}, Permutation(10, 1, Order, 0))
}

// Every element must come to every place equally often (chi-squared, 8x8 cells,
// 49 degrees of freedom: 99.99 % of fair shuffles stay below 94).
func TestPermutationIsUniform(t *testing.T) {
	const n, rounds = 8, 16_000
	var count [n][n]int
	for epoch := range rounds {
		for place, element := range Permutation(n, 3, Order, epoch) {
			count[place][element]++
		}
	}
	sum := 0.0
	for _, row := range count {
		for _, c := range row {
			d := float64(c) - rounds/n
			sum += d * d / (rounds / n)
		}
	}
	assert.Less(t, sum, 94.0)
}

// The first draws of neighbouring streams must look independent.
func TestStreamsOfNeighboursAreUnrelated(t *testing.T) {
	const n = 20_000
	var rng rand.PCG
	var pairs [9][9]int
	previous := 0
	for i := range n {
		Seed(&rng, 1, Item, 0, i)
		now := Below(&rng, 9)
		pairs[previous][now]++
		previous = now
	}
	sum, want := 0.0, n/81.0
	for _, row := range pairs {
		for _, c := range row {
			sum += (float64(c) - want) * (float64(c) - want) / want
		}
	}
	assert.Less(t, sum, 140.0, "chi-squared with 80 degrees of freedom")

	seen := map[uint64]bool{}
	for seed := range uint64(10) {
		for epoch := range 10 {
			for _, purpose := range []uint64{Split, Order, Item} {
				for index := range 10 {
					Seed(&rng, seed, purpose, epoch, index)
					seen[rng.Uint64()] = true
				}
			}
		}
	}
	require.Len(t, seen, 3000, "each stream is its own")
}
