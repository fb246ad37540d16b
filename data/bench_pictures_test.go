package data

import (
	"bytes"
	"image/jpeg"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// One photograph of the usual size of ImageNet's, decoded, then cropped to 224.
func BenchmarkPictures(b *testing.B) {
	file := jpegOf(b, scene(500, 375, 1))
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			_, err := jpeg.Decode(bytes.NewReader(file))
			require.NoError(b, err)
		}
	})
	s := newDecoder()
	require.NoError(b, s.decode(file))
	dst := make([]byte, 3*224*224)
	b.Run("centre", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			s.render(centre(500, 375, 224), 224, dst)
		}
	})
	b.Run("crop", func(b *testing.B) {
		b.ReportAllocs()
		var rng rand.PCG
		for range b.N {
			s.render(ImageNetCrop.draw(500, 375, &rng), 224, dst)
		}
	})
	t, err := Augment{Flip: true, Mean: imageNetMean, Std: imageNetStd}.Compile(3, 224, 224)
	require.NoError(b, err)
	out := make([]float32, len(dst))
	b.Run("normalise", func(b *testing.B) {
		var rng rand.PCG
		for range b.N {
			t.Apply(out, dst, &rng)
		}
	})
}
