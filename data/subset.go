package data

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/spikedhs/spikedhs/data/internal/random"
)

// subset shows some images of another set under new indices.
type subset struct {
	Dataset
	indices []int
}

func (s *subset) Len() int { return len(s.indices) }

func (s *subset) Image(i int, dst []byte) (int, error) {
	if i < 0 || i >= len(s.indices) {
		return 0, fmt.Errorf("%s: image %d of %d does not exist in the subset", s.Name(), i, len(s.indices))
	}
	return s.Dataset.Image(s.indices[i], dst)
}

// Subset is the view of ds whose image i is image indices[i] of ds. An index
// may occur more than once; one that ds does not have is an error. The indices
// are copied, the pixels are not.
func Subset(ds Dataset, indices []int) (Dataset, error) {
	for _, i := range indices {
		if i < 0 || i >= ds.Len() {
			return nil, fmt.Errorf("%s: subset index %d is not in 0..%d", ds.Name(), i, ds.Len()-1)
		}
	}
	return view(ds, indices), nil
}

// Take is the view of the first n images of a permutation of ds that only seed
// decides. Classes are drawn as they come. It fails unless 0 < n <= ds.Len().
func Take(ds Dataset, n int, seed uint64) (Dataset, error) {
	if n < 1 || n > ds.Len() {
		return nil, fmt.Errorf("%s: cannot take %d of %d images; choose 1..%d", ds.Name(), n, ds.Len(), ds.Len())
	}
	return view(ds, random.Permutation(ds.Len(), seed, random.Split, 0)[:n]), nil
}

// Halves divides ds at random into two disjoint sets of equal size, such as the
// sets A (weights) and B (architecture) of bi-level search. Only seed decides
// which image falls where. Of an odd number of images one is left out.
func Halves(ds Dataset, seed uint64) (a, b Dataset) {
	order := random.Permutation(ds.Len(), seed, random.Split, 0)
	half := len(order) / 2
	return view(ds, order[:half]), view(ds, order[half:2*half])
}

// view makes a subset of valid indices; one of a subset refers to the set
// underneath, so that views do not pile up.
func view(ds Dataset, indices []int) Dataset {
	base, flat := ds, slices.Clone(indices)
	if s, ok := underlying(ds); ok {
		base = s.Dataset
		for k, i := range flat {
			flat[k] = s.indices[i]
		}
	}
	s := &subset{Dataset: base, indices: flat}
	if crops, ok := base.(Cropper); ok {
		return &cropSubset{s, crops}
	}
	return s
}

// underlying is ds as a subset, if it is one.
func underlying(ds Dataset) (*subset, bool) {
	switch s := ds.(type) {
	case *subset:
		return s, true
	case *cropSubset:
		return s.subset, true
	}
	return nil, false
}

// cropSubset is a subset of pictures that are decoded on demand.
type cropSubset struct {
	*subset
	crops Cropper
}

// Crop implements [Cropper].
func (s *cropSubset) Crop(i int, crop ResizedCrop, rng rand.Source, dst []byte) (int, error) {
	if i < 0 || i >= len(s.indices) {
		return 0, fmt.Errorf("%s: image %d of %d does not exist in the subset", s.Name(), i, len(s.indices))
	}
	return s.crops.Crop(s.indices[i], crop, rng, dst)
}
