package data

import (
	"math/bits"
	"math/rand/v2"
)

// Every random choice of this package is drawn from a stream of its own, chosen
// by what the choice is for, so that no choice depends on how many were made
// before it or by which worker.
const (
	forSplit uint64 = iota
	forOrder
	forImage
	forCrop
)

// seedStream puts rng at the start of the stream of (seed, purpose, epoch, index).
func seedStream(rng *rand.PCG, seed, purpose uint64, epoch, index int) {
	rng.Seed(scramble(seed+scramble(purpose)), scramble(scramble(uint64(epoch))+uint64(index)))
}

// scramble is the output function of SplitMix64 (Steele, Lea and Flood 2014).
// It sends neighbouring numbers far apart.
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// below draws a number in 0..n-1. It is written out here, not taken from
// rand.Rand, so that one seed keeps giving one order under every Go release;
// its bias is below n/2^64.
func below(rng rand.Source, n int) int {
	high, _ := bits.Mul64(rng.Uint64(), uint64(n))
	return int(high)
}

// permutation is a random order of 0..n-1 (Fisher-Yates) that its arguments decide.
func permutation(n int, seed, purpose uint64, epoch int) []int {
	var rng rand.PCG
	seedStream(&rng, seed, purpose, epoch, 0)
	order := make([]int, n)
	for i := range order {
		j := below(&rng, i+1)
		order[i] = order[j]
		order[j] = i
	}
	return order
}
