package data

import "fmt"

// imageNetMean and imageNetStd are the usual statistics of ImageNet.
var (
	imageNetMean = []float32{0.485, 0.456, 0.406}
	imageNetStd  = []float32{0.229, 0.224, 0.225}
)

// Normalization is the mean and standard deviation of each channel over the
// training images of a data set, on the scale 0..1, to be used as
// [Augment].Mean and Std. It knows [Names]; another name fails with [ErrUnknown].
// "image-folder" has the values of ImageNet. The slices are the caller's own.
func Normalization(name string) (mean, std []float32, err error) {
	src, err := lookup(name)
	if err != nil {
		return nil, nil, fmt.Errorf("normalization: %w", err)
	}
	return clone(src.mean), clone(src.std), nil
}

func clone(v []float32) []float32 { return append([]float32(nil), v...) }
