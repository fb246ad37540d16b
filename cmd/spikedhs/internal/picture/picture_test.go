package picture

import (
	"image"
	"image/color"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFromImageKeepsBytes(t *testing.T) {
	m := image.NewGray(image.Rect(0, 0, 256, 1))
	for v := range 256 {
		m.SetGray(v, 0, color.Gray{Y: uint8(v)})
	}
	for _, channels := range []int{1, 3} {
		p, err := FromImage(m, channels)
		require.NoError(t, err)
		require.Len(t, p.Pixels, channels*256)
		for i, v := range p.Pixels {
			require.Equal(t, float32(i%256)/255, v)
		}
	}
}

func TestFromImageOrder(t *testing.T) {
	// A part of a larger image, which does not start at the origin.
	m := image.NewRGBA(image.Rect(0, 0, 4, 4))
	m.SetRGBA(2, 1, color.RGBA{R: 255, A: 255})
	m.SetRGBA(1, 2, color.RGBA{B: 255, A: 255})
	m.SetRGBA(2, 2, color.RGBA{}) // transparent
	p, err := FromImage(m.SubImage(image.Rect(1, 1, 3, 3)), 3)
	require.NoError(t, err)
	require.Equal(t, Picture{Channels: 3, Height: 2, Width: 2, Pixels: []float32{
		0, 1, 0, 0,
		0, 0, 0, 0,
		0, 0, 1, 0,
	}}, p)
	p, err = FromImage(m.SubImage(image.Rect(1, 1, 3, 3)), 1)
	require.NoError(t, err)
	require.InDeltaSlice(t, []float32{0, 0.299, 0.114, 0}, p.Pixels, 1e-6)
	_, err = FromImage(m, 2)
	require.Error(t, err)
	_, err = FromImage(image.NewGray(image.Rect(0, 0, 0, 3)), 1)
	require.ErrorIs(t, err, ErrFormat)
}

func TestResize(t *testing.T) {
	row := Picture{Channels: 1, Height: 1, Width: 2, Pixels: []float32{0, 1}}
	require.InDeltaSlice(t, []float32{0, 0.25, 0.75, 1}, row.Resize(1, 4).Pixels, 1e-6, "bilinear")

	rng := rand.New(rand.NewSource(1))
	p := Picture{Channels: 3, Height: 12, Width: 9}
	for range 3 * 12 * 9 {
		p.Pixels = append(p.Pixels, rng.Float32())
	}
	require.Equal(t, p, p.Resize(12, 9), "the same size changes nothing")

	flat := Picture{Channels: 1, Height: 50, Width: 70, Pixels: make([]float32, 50*70)}
	for i := range flat.Pixels {
		flat.Pixels[i] = 0.3
	}
	for _, size := range [][2]int{{28, 28}, {1, 1}, {90, 3}} {
		r := flat.Resize(size[0], size[1])
		require.Len(t, r.Pixels, size[0]*size[1])
		for _, v := range r.Pixels {
			require.InDelta(t, 0.3, v, 1e-6)
		}
	}

	// Shrinking looks at every pixel: thin stripes become their mean.
	stripes := Picture{Channels: 1, Height: 1, Width: 80, Pixels: make([]float32, 80)}
	for i := 0; i < 80; i += 2 {
		stripes.Pixels[i] = 1
	}
	for _, v := range stripes.Resize(1, 10).Pixels {
		require.InDelta(t, 0.5, v, 0.02)
	}
}

func TestInvert(t *testing.T) {
	p := Picture{Channels: 1, Height: 1, Width: 2, Pixels: []float32{0.25, 1}}
	p.Invert()
	require.Equal(t, []float32{0.75, 0}, p.Pixels)
}
