package data

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// exactResize is the definition in float64: the mean of the pixels of one channel
// under the triangle, rows and columns at once.
func exactResize(at func(x, y int) float64, w window, n int) []float64 {
	weight := func(p int, from, to float64, i int) float64 {
		scale := (to - from) / float64(n)
		middle := from + (float64(i)+0.5)*scale
		return math.Max(0, 1-math.Abs(float64(p)+0.5-middle)/math.Max(scale, 1))
	}
	out := make([]float64, n*n)
	for i := range n {
		for j := range n {
			var sum, all float64
			for y := w.top; y < w.foot; y++ {
				for x := w.left; x < w.right; x++ {
					v := weight(y, w.y0, w.y1, i) * weight(x, w.x0, w.x1, j)
					sum += v * at(x, y)
					all += v
				}
			}
			out[i*n+j] = sum / all
		}
	}
	return out
}

func TestResizeEqualsItsDefinition(t *testing.T) {
	img := scene(53, 37, 5)
	for name, c := range map[string]struct {
		w window
		n int
	}{
		"centre":         {centre(53, 37, 16), 16},
		"enlarged":       {centre(53, 37, 60), 60},
		"a part":         {part(7, 3, 30, 21), 8},
		"a small part":   {part(50, 34, 3, 3), 12},
		"one pixel":      {part(20, 20, 1, 1), 4},
		"much reduced":   {part(0, 0, 53, 37), 2},
		"to one":         {part(0, 0, 53, 37), 1},
		"same":           {part(10, 10, 20, 20), 20},
		"flat and small": {part(0, 36, 53, 1), 7},
	} {
		t.Run(name, func(t *testing.T) {
			s := newDecoder()
			s.decoded = img
			got := make([]byte, 3*c.n*c.n)
			s.render(c.w, c.n, got)
			for channel := range 3 {
				want := exactResize(func(x, y int) float64 { return float64(img.Pix[y*img.Stride+4*x+channel]) }, c.w, c.n)
				for i, v := range want {
					require.InDelta(t, v, got[channel*c.n*c.n+i], 0.56, "channel %d, pixel %d", channel, i)
				}
			}
		})
	}
}

// Every subsampling of JPEG, against the definition on the picture in RGB whose
// chroma has been spread linearly between its samples.
func TestChromaIsResizedInPlace(t *testing.T) {
	for _, ratio := range []image.YCbCrSubsampleRatio{
		image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420,
		image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410,
	} {
		t.Run(ratio.String(), func(t *testing.T) {
			const w, h = 45, 31
			img := image.NewYCbCr(image.Rect(0, 0, w, h), ratio)
			subX, subY := subsampling(ratio)
			// Planes that are linear in the place, so that every way of spreading agrees
			// away from the edges: chroma sample c lies in the middle of its pixels.
			for i := range img.Y {
				img.Y[i] = uint8(60 + 2*(i%img.YStride) + i/img.YStride)
			}
			for i := range img.Cb {
				x, y := (float64(i%img.CStride)+0.5)*float64(subX), (float64(i/img.CStride)+0.5)*float64(subY)
				img.Cb[i], img.Cr[i] = uint8(math.Round(90+x)), uint8(math.Round(160-y))
			}
			s := newDecoder()
			s.decoded = img
			const n = 9
			got := make([]byte, 3*n*n)
			win := part(8, 8, 27, 18)
			s.render(win, n, got)
			for i := range n {
				for j := range n {
					if i == 0 || j == 0 || i == n-1 || j == n-1 {
						continue // the edge of the part bends the planes
					}
					x, y := 8+(float64(j)+0.5)*27/n, 8+(float64(i)+0.5)*18/n
					luma, cb, cr := 60+2*(x-0.5)+(y-0.5), 90+x-128, 160-y-128
					want := [3]float64{luma + 1.402*cr, luma - 0.344136*cb - 0.714136*cr, luma + 1.772*cb}
					for k, v := range want {
						require.InDelta(t, math.Min(255, v), got[k*n*n+i*n+j], 2, "channel %d at %d,%d", k, j, i)
					}
				}
			}
		})
	}
}

func TestOrientation(t *testing.T) {
	const w, h, n = 48, 32, 6
	// Four corners of different grey.
	img := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Pix[y*img.Stride+x] = uint8(40 + 60*(2*y/h) + 120*(2*x/w))
		}
	}
	stored := [4]int{40, 160, 100, 220} // top left, top right, bottom left, bottom right
	for tag, corners := range map[int][4]int{
		// The corners of the upright picture as corners of the stored one, after the
		// table of the EXIF standard (which side row 0 and column 0 are).
		0: {0, 1, 2, 3}, 1: {0, 1, 2, 3}, 2: {1, 0, 3, 2}, 3: {3, 2, 1, 0}, 4: {2, 3, 0, 1},
		5: {0, 2, 1, 3}, 6: {2, 0, 3, 1}, 7: {3, 1, 2, 0}, 8: {1, 3, 0, 2}, 9: {0, 1, 2, 3},
	} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			t.Run(fmt.Sprint(tag, order), func(t *testing.T) {
				s := newDecoder()
				require.NoError(t, s.decode(withOrientation(jpegOf(t, img), tag, order)))
				cw, ch := s.size()
				assert.Equal(t, tag >= 5 && tag <= 8, cw == h && ch == w)
				got := make([]byte, 3*n*n)
				s.render(part(0, 0, cw, ch), n, got)
				for k, at := range []int{0, n - 1, n * (n - 1), n*n - 1} {
					assert.InDelta(t, stored[corners[k]], got[at], 4, "corner %d", k)
				}
				// A part of the upright picture: its top left quarter.
				s.render(part(0, 0, cw/2, ch/2), n, got)
				assert.InDelta(t, stored[corners[0]], got[n*n/2+n/2], 4)
			})
		}
	}
}

func TestPictureLimits(t *testing.T) {
	s := newDecoder()
	s.pixels = 100
	for _, file := range [][]byte{jpegOf(t, greyOf(20, 20, 1)), pngOf(t, greyOf(20, 20, 1))} {
		require.ErrorContains(t, s.decode(file), "20x20 pixels")
		// Garbage between the segments, which the decoder forgives.
		require.Error(t, s.decode(append(append([]byte{}, file[:2]...), append([]byte{1, 2}, file[2:]...)...)))
	}
	require.NoError(t, s.decode(pngOf(t, greyOf(10, 10, 1))))
}

func TestRandomCrops(t *testing.T) {
	var rng rand.PCG
	rng.Seed(1, 2)
	var areas, ratios []float64
	for range 20_000 {
		w := ImageNetCrop.draw(400, 300, &rng)
		require.True(t, w.left >= 0 && w.top >= 0 && w.right <= 400 && w.foot <= 300 && w.left < w.right && w.top < w.foot)
		cw, ch := float64(w.right-w.left), float64(w.foot-w.top)
		areas, ratios = append(areas, cw*ch/120_000), append(ratios, cw/ch)
		require.InDelta(t, 1, ratios[len(ratios)-1], 0.36)
		require.Greater(t, areas[len(areas)-1], 0.078)
	}
	// A share a of a 4:3 picture fits where the ratio is at least 4a/3: always up to
	// 9/16, above it with probability -ln(a)/(2 ln(4/3)). That makes the mean 0.432.
	mean := 0.0
	for _, a := range areas {
		mean += a / float64(len(areas))
	}
	assert.InDelta(t, 0.432, mean, 0.008)

	// Nothing fits a strip: the largest centred part with a ratio of 4/3.
	assert.Equal(t, part(43, 0, 13, 10), ResizedCrop{MinArea: 1, MaxRatio: 1.3}.draw(100, 10, &rng))
	assert.Equal(t, part(0, 43, 10, 13), ResizedCrop{MinArea: 1, MaxRatio: 1.3}.draw(10, 100, &rng))
	assert.Equal(t, part(0, 0, 1, 1), ImageNetCrop.draw(1, 1, &rng))
}

func TestCentreCrop(t *testing.T) {
	assert.Equal(t, 256, shortSide(224))
	// 500x375 becomes 341x256, of which columns 58.. and rows 16.. are cut out.
	w := centre(500, 375, 224)
	sx, sy := 500.0/341, 375.0/256
	assert.InDeltaSlice(t, []float64{58 * sx, 16 * sy, 282 * sx, 240 * sy}, []float64{w.x0, w.y0, w.x1, w.y1}, 1e-9)
	assert.Equal(t, [4]int{0, 0, 500, 375}, [4]int{w.left, w.top, w.right, w.foot})
}

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
