package stereo

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A frame of four valid pixels and one without truth, worked out by hand with
// f*B = 20: depths 2, 4, 5, 10 m against 2, 5, 4, 20 m.
func TestMetricsByHand(t *testing.T) {
	inf := float32(math.Inf(1))
	m := Meter{FocalBaseline: 20}
	require.NoError(t, m.Add([]float32{10, 5, 4, 2, 7}, []float32{10, 4, 5, 1, inf}))
	r := m.Result()
	assert.InDelta(t, 0.75, r.MeanDisparityError, 1e-9)
	assert.EqualValues(t, 100, r.OnePixelAccuracy, "exactly 1 px is no error")
	assert.InDelta(t, 100*12.0/4, r.MeanDepthError, 1e-3, "0, 1, 1 and 10 m")
	assert.InDelta(t, 100, r.MedianDepthError, 1e-3, "the lower of the two middle ones")
	assert.EqualValues(t, 4, r.Pixels)

	// A second frame: one of two pixels is off by more than 1 px. Frames count alike.
	require.NoError(t, m.Add([]float32{10, 2.001}, []float32{10, 1}))
	r = m.Result()
	assert.InDelta(t, (0.75+0.5005)/2, r.MeanDisparityError, 1e-6)
	assert.InDelta(t, 75, r.OnePixelAccuracy, 1e-9)

	// A frame without truth counts as a frame of zeros.
	require.NoError(t, m.Add([]float32{1}, []float32{inf}))
	assert.InDelta(t, 100-50.0/3, m.Result().OnePixelAccuracy, 1e-9)
	assert.Equal(t, 3, m.Result().Frames)
}

func TestNearZeroPredictions(t *testing.T) {
	const focalBaseline = 19.941772 // of MVSEC's indoor_flying, in px m
	m := Meter{FocalBaseline: focalBaseline}
	require.NoError(t, m.Add([]float32{0, 10}, []float32{10, 10}))
	assert.EqualValues(t, 1, m.Result().NearZero)
	assert.Greater(t, m.Result().MeanDepthError, 1e9, "the published protocol does not clamp")
	m = Meter{FocalBaseline: focalBaseline, ClampAt: 1}
	require.NoError(t, m.Add([]float32{0, 10}, []float32{10, 10}))
	assert.InDelta(t, 100*focalBaseline*0.9/2, m.Result().MeanDepthError, 1e-2)
}

func TestMeterRefuses(t *testing.T) {
	m := Meter{FocalBaseline: 1}
	assert.ErrorIs(t, m.Add([]float32{1}, nil), ErrFrame)
	assert.ErrorIs(t, m.Add([]float32{float32(math.NaN())}, []float32{1}), ErrFrame)
	assert.ErrorIs(t, (&Meter{}).Add([]float32{1}, []float32{1}), ErrFrame)
	assert.Zero(t, m.Result().Frames)
}
