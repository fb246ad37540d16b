// Package random draws what data need at random: every choice from a stream of its own,
// chosen by what the choice is for, so that no choice depends on how many were made
// before it or by which worker.
package random

import (
	"math/bits"
	"math/rand/v2"
)

// What choices are for.
const (
	Split uint64 = iota
	Order
	Item // the augmentation of an image, the crop of a window
	Crop // the part of a picture that is decoded
)

// Seed puts rng at the start of the stream of (seed, purpose, epoch, index).
func Seed(rng *rand.PCG, seed, purpose uint64, epoch, index int) {
	rng.Seed(Scramble(seed+Scramble(purpose)), Scramble(Scramble(uint64(epoch))+uint64(index)))
}

// Scramble is the output function of SplitMix64 (Steele, Lea and Flood 2014).
// It sends neighbouring numbers far apart.
func Scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Below draws a number in 0..n-1. It is written out here, not taken from
// rand.Rand, so that one seed keeps giving one order under every Go release;
// its bias is below n/2^64.
func Below(rng rand.Source, n int) int {
	high, _ := bits.Mul64(rng.Uint64(), uint64(n))
	return int(high)
}

// Permutation is a random order of 0..n-1 (Fisher-Yates) that its arguments decide.
func Permutation(n int, seed, purpose uint64, epoch int) []int {
	var rng rand.PCG
	Seed(&rng, seed, purpose, epoch, 0)
	order := make([]int, n)
	for i := range order {
		j := Below(&rng, i+1)
		order[i] = order[j]
		order[j] = i
	}
	return order
}
