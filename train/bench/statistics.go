package bench

import "slices"

// median of at least one sample; of an even number the mean of the two in the
// middle.
func median(samples []float64) float64 {
	if len(samples) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(samples))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// spread is the distance between the largest and the smallest sample over the
// median.
func spread(samples []float64) float64 {
	m := median(samples)
	if m == 0 {
		return 0
	}
	return (slices.Max(samples) - slices.Min(samples)) / m
}
