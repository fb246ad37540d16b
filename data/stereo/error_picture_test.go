package stereo

import (
	"image/color"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestErrorPicture(t *testing.T) {
	inf := float32(math.Inf(1))
	p := ErrorPicture([]float32{5, 5.5, 4, 9, 2, 5.25}, []float32{5, 5, 5, 5, inf, 5}, 2, 3)
	assert.Equal(t, color.RGBA{255, 255, 255, 255}, p.RGBAAt(0, 0), "right")
	assert.Equal(t, color.RGBA{255, 225, 90, 255}, p.RGBAAt(1, 0), "half a pixel")
	assert.Equal(t, color.RGBA{220, 40, 30, 255}, p.RGBAAt(2, 0), "one pixel")
	assert.Equal(t, color.RGBA{0, 0, 0, 255}, p.RGBAAt(0, 1), "far off")
	assert.Equal(t, color.RGBA{150, 150, 150, 255}, p.RGBAAt(1, 1), "no truth")
	assert.Equal(t, color.RGBA{255, 240, 173, 255}, p.RGBAAt(2, 1), "between")
}

func TestOverlay(t *testing.T) {
	base := DisparityPicture([]float32{1, 2, 3}, 1, 3, 3)
	p := Overlay(base, []float32{1, 0, -1, 1, 0, 0}, 2)
	assert.Equal(t, color.RGBA{255, 255, 255, 255}, p.RGBAAt(0, 0))
	assert.Equal(t, base.RGBAAt(1, 0), p.RGBAAt(1, 0), "no event")
	assert.Equal(t, color.RGBA{0, 0, 0, 255}, p.RGBAAt(2, 0))
	assert.NotEqual(t, color.RGBA{255, 255, 255, 255}, base.RGBAAt(0, 0), "the picture below is not changed")
}
