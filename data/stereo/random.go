package stereo

import (
	"math/bits"
	"math/rand/v2"
)

// Every random choice has a stream of its own, chosen by what it is for, so that no
// choice depends on how many were made before it or by which worker.
const (
	forOrder uint64 = iota + 1
	forCrop
)

// stream is the random stream of (seed, purpose, epoch, index).
func stream(seed, purpose uint64, epoch, index int) *rand.PCG {
	return rand.NewPCG(scramble(seed+scramble(purpose)), scramble(scramble(uint64(epoch))+uint64(index)))
}

// scramble is the output function of SplitMix64 (Steele, Lea and Flood 2014). It sends
// neighbouring numbers far apart.
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// below draws a number in 0..n-1, with a bias below n/2^64.
func below(rng rand.Source, n int) int {
	high, _ := bits.Mul64(rng.Uint64(), uint64(n))
	return int(high)
}

// permutation is a random order of 0..n-1 (Fisher-Yates).
func permutation(n int, seed uint64, epoch int) []int {
	rng := stream(seed, forOrder, epoch, 0)
	order := make([]int, n)
	for i := range order {
		j := below(rng, i+1)
		order[i] = order[j]
		order[j] = i
	}
	return order
}
