package synth

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data/stereo"
)

var testRig = stereo.Rig{Width: 48, Height: 36, Focal: 30, CX: 23.5, CY: 17.5, Baseline: 0.1}

func testLayout() Layout {
	return Layout{Planes: [2]int{3, 5}, Depth: [2]float64{0.7, 5}, Speed: [2]float64{0.3, 1}, Yaw: 0.1}
}

func standing() *Trajectory {
	zero := func(float64) Vec { return Vec{} }
	return NewTrajectory(Pose{R: identity()}, 1, zero, zero)
}

func TestFrontoParallelPlaneHasOneDisparity(t *testing.T) {
	s := Random(testRig, testLayout(), 1, 3)
	s.Planes = []Plane{NewPlane(Vec{0, 0, 2}, Vec{0, 0, 1}, s.Planes[0].Texture)}
	s.Motion = standing()
	truth := s.Truth(0)
	for i, d := range truth.Disparity {
		require.Equal(t, float32(30*0.1/2), d)
		if x := i % testRig.Width; x >= 2 {
			require.EqualValues(t, Visible, truth.Occlusion[i])
		} else {
			require.EqualValues(t, OutOfView, truth.Occlusion[i])
		}
	}
}

// TestRightPictureIsTheLeftOneShifted checks the definition of disparity on random
// scenes in motion: where a point is visible in both pictures, both have its intensity.
func TestRightPictureIsTheLeftOneShifted(t *testing.T) {
	visible, occluded := 0, 0
	for seed := range uint64(10) {
		s := Random(testRig, testLayout(), 1, seed)
		for _, at := range []float64{0, 0.37, 1} {
			truth := s.Truth(at)
			left, right := s.Eye(stereo.Left, at), s.Eye(stereo.Right, at)
			for i, d := range truth.Disparity {
				x, y := float64(i%testRig.Width), float64(i/testRig.Width)
				hit := left.Trace(x, y)
				require.InDelta(t, testRig.FB()/hit.Depth, d, 1e-5)
				switch truth.Occlusion[i] {
				case Visible:
					visible++
					exact := testRig.FB() / hit.Depth
					require.InDelta(t, left.Intensity(x, y), right.Intensity(x-exact, y), 1e-9)
					require.InDelta(t, hit.Depth, right.Trace(x-exact, y).Depth, 1e-9)
				case Occluded:
					occluded++
					// Something nearer hides the point.
					exact := testRig.FB() / hit.Depth
					require.Less(t, right.Trace(x-exact, y).Depth, hit.Depth)
				}
			}
		}
	}
	assert.Greater(t, visible, 30000)
	assert.Greater(t, occluded, 100)
}

// TestTraceIsTheGeometry looks a point up in the world: it must lie on its plane.
func TestTraceIsTheGeometry(t *testing.T) {
	s := Random(testRig, testLayout(), 1, 5)
	const at = 0.4321
	pose := s.Motion.Pose(at)
	for _, v := range []stereo.View{stereo.Left, stereo.Right} {
		eye := s.Eye(v, at)
		for y := range testRig.Height {
			for x := range testRig.Width {
				hit := eye.Trace(float64(x), float64(y))
				require.GreaterOrEqual(t, hit.Plane, 0)
				inCamera := Vec{(float64(x) - testRig.CX) / 30 * hit.Depth, (float64(y) - testRig.CY) / 30 * hit.Depth, hit.Depth}
				if v == stereo.Right {
					inCamera[0] += testRig.Baseline
				}
				world := pose.R.apply(inCamera).add(pose.T)
				p := s.Planes[hit.Plane]
				require.InDelta(t, p.C, p.N.dot(world), 1e-9)
				require.InDelta(t, p.U.dot(world), hit.u, 1e-9)
				require.InDelta(t, p.V.dot(world), hit.v, 1e-9)
			}
		}
	}
}

func TestScenesKeepTheirBounds(t *testing.T) {
	for _, name := range Presets() {
		o, err := Preset(name)
		require.NoError(t, err)
		o.Rig.Width, o.Rig.Height = o.Rig.Width/4, o.Rig.Height/4 // the same view, coarser
		o.Rig.Focal, o.Rig.CX, o.Rig.CY = o.Rig.Focal/4, o.Rig.CX/4, o.Rig.CY/4
		near, far := math.Inf(1), 0.0
		for seed := range uint64(60) {
			s := Random(o.Rig, o.Layout, 2, seed)
			require.GreaterOrEqual(t, len(s.Planes), 3)
			require.LessOrEqual(t, len(s.Planes), 5)
			for _, at := range []float64{0, 0.5, 1, 1.5, 2} {
				for _, d := range s.Truth(at).Disparity {
					z := o.Rig.FB() / float64(d)
					near, far = min(near, z), max(far, z)
				}
				side := s.Motion.Velocity(at)
				require.Less(t, math.Hypot(side[0], side[1]), 1.01)
				require.Greater(t, math.Hypot(side[0], side[1]), 0.08)
			}
		}
		assert.InDelta(t, 0.8, near, 0.15, name)
		assert.Greater(t, near, 0.66, name)
		assert.Less(t, far, 5.8, name)
		assert.Greater(t, far, 3.5, name)
	}
}

// A plain wall is one grey; there is none where none was asked for.
func TestPlainWalls(t *testing.T) {
	o, err := Preset("dvs128")
	require.NoError(t, err)
	plain := 0
	for seed := range uint64(200) {
		usual := Random(o.Rig, o.Layout, 1, seed)
		require.NotEmpty(t, usual.Planes[0].Texture.waves, "none without Plain")
		l := o.Layout
		l.Plain = 0.3
		s := Random(o.Rig, l, 1, seed)
		for _, p := range s.Planes[1:] {
			require.NotEmpty(t, p.Texture.waves, "things keep theirs")
		}
		if wall := s.Planes[0].Texture; len(wall.waves) == 0 {
			plain++
			assert.Equal(t, wall.At(0, 0), wall.At(1.7, -2.3))
			assert.InDelta(t, background, wall.At(3, 4), 1e-12)
		}
	}
	assert.InDelta(t, 60, plain, 25)
}

func TestTexture(t *testing.T) {
	s := Random(testRig, testLayout(), 1, 7)
	for _, p := range s.Planes {
		var low, high, sum, squares float64 = 1, 0, 0, 0
		const n = 20000
		for k := range n {
			v := p.Texture.At(float64(k)*0.0137, float64(k%171)*0.0091)
			low, high = min(low, v), max(high, v)
			sum += v
			squares += v * v
		}
		assert.Greater(t, low, 0.0)
		assert.Less(t, high, 1.0)
		assert.Greater(t, math.Sqrt(squares/n-sum/n*sum/n), 0.08, "there is contrast")
	}
	for _, turns := range []float64{-3.3, 0, 0.25, 0.999999999999999999, 1e9 + 0.1} {
		assert.InDelta(t, math.Sin(2*math.Pi*turns), sine(turns), 2e-6)
	}
	assert.NotPanics(t, func() { sine(math.NaN()); sine(math.Inf(1)); sine(-1e-18) })
}

func TestTrajectoryIsTheIntegral(t *testing.T) {
	// A turn about one axis at a changing rate and a velocity have closed forms.
	tr := NewTrajectory(Pose{R: identity()}, 2, func(t float64) Vec {
		return Vec{math.Cos(3 * t), 2 * t, 0}
	}, func(t float64) Vec { return Vec{0, math.Sin(2 * t), 0} })
	for _, at := range []float64{0, 0.1234567, 1, 1.99999, 2} {
		p := tr.Pose(at)
		assert.InDelta(t, math.Sin(3*at)/3, p.T[0], 1e-6)
		assert.InDelta(t, at*at, p.T[1], 1e-6)
		angle := (1 - math.Cos(2*at)) / 2
		want := rotation(Vec{0, angle, 0})
		for i := range want {
			for j := range want[i] {
				assert.InDelta(t, want[i][j], p.R[i][j], 1e-6)
			}
		}
	}
	// A turn about two axes: R stays a rotation.
	tr = NewTrajectory(Pose{R: identity()}, 2, func(float64) Vec { return Vec{} },
		func(t float64) Vec { return Vec{1, math.Cos(5 * t), 0.3} })
	r := tr.Pose(1.7).R
	for i := range r {
		for j := range r {
			want := 0.0
			if i == j {
				want = 1
			}
			assert.InDelta(t, want, r[i].dot(r[j]), 1e-12)
		}
	}
	assert.InDelta(t, 1, r[0].cross(r[1]).dot(r[2]), 1e-12)
}

func TestOptionFaults(t *testing.T) {
	for want, spoil := range map[string]func(o *Options){
		"0 scenes":  func(o *Options) { o.Scenes = 0 },
		"planes":    func(o *Options) { o.Layout.Planes[1] = 0 },
		"depth 0":   func(o *Options) { o.Layout.Depth[0] = 0 },
		"speed":     func(o *Options) { o.Layout.Speed[0] = math.NaN() },
		"sparsity":  func(o *Options) { o.Sparsity.Rows = 2 },
		"threshold": func(o *Options) { o.Camera.Threshold = 0 },
		"plain":     func(o *Options) { o.Layout.Plain = 1.5 },
		"rig":       func(o *Options) { o.Rig.Focal = 0 },
	} {
		o := testOptions(t)
		spoil(&o)
		assert.ErrorContains(t, Generate(context.Background(), t.TempDir(), o), want)
	}
	_, err := Preset("huge")
	assert.ErrorContains(t, err, "choose one of small, dvs128, full")
}
