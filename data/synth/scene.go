package synth

import (
	"math"
	"math/rand/v2"

	"github.com/spikedhs/spikedhs/data/stereo"
)

// Plane is a textured plane N.X = C in the world. U and V are directions in it, and
// (U.X, V.X) is the place that the texture and the mask are given for.
type Plane struct {
	N, U, V Vec
	C       float64
	Texture *Texture
	// Mask are lines that bound the visible part: A u + B v <= C for all of them; none
	// is a plane without end.
	Mask []Line
}

// Line is one side of a mask, the places with A u + B v <= C.
type Line struct{ A, B, C float64 }

// NewPlane is the plane through at with normal n.
func NewPlane(at, n Vec, texture *Texture) Plane {
	n = n.unit()
	u := Vec{0, 1, 0}.cross(n)
	if u.norm() < 0.1 {
		u = Vec{1, 0, 0}.cross(n)
	}
	u = u.unit()
	return Plane{N: n, U: u, V: n.cross(u), C: n.dot(at), Texture: texture}
}

// Scene is what the cameras see and how they move.
type Scene struct {
	Rig    stereo.Rig
	Planes []Plane
	Motion *Trajectory
}

// seen is a plane as a camera at a pose sees it: a ray r meets it at depth c/(n.r), at
// the place (u0 + depth u.r, v0 + depth v.r).
type seen struct {
	n, u, v   Vec
	c, u0, v0 float64
	plane     *Plane
}

// Eye is one camera at one moment.
type Eye struct {
	rig    stereo.Rig
	planes []seen
}

// Eye is the camera of a view at time t.
func (s *Scene) Eye(v stereo.View, t float64) *Eye {
	pose := s.Motion.Pose(t)
	at := pose.T
	if v == stereo.Right {
		at = at.add(pose.R.apply(Vec{s.Rig.Baseline, 0, 0}))
	}
	e := &Eye{rig: s.Rig}
	for i := range s.Planes {
		p := &s.Planes[i]
		e.planes = append(e.planes, seen{
			n: pose.R.back(p.N), u: pose.R.back(p.U), v: pose.R.back(p.V),
			c: p.C - p.N.dot(at), u0: p.U.dot(at), v0: p.V.dot(at), plane: p,
		})
	}
	return e
}

// Hit is where the ray of a pixel ends.
type Hit struct {
	// Plane is the number of the plane, -1 where the ray meets none.
	Plane int
	// Depth is the distance along the optical axis in metres; +Inf where there is none.
	Depth float64
	u, v  float64
}

// Trace follows the ray of pixel (x, y), which need not be whole: the visible plane is
// the one with the smallest depth above 0 inside of its mask.
func (e *Eye) Trace(x, y float64) Hit {
	r := Vec{(x - e.rig.CX) / e.rig.Focal, (y - e.rig.CY) / e.rig.Focal, 1}
	hit := Hit{Plane: -1, Depth: math.Inf(1)}
	for i := range e.planes {
		p := &e.planes[i]
		depth := p.c / p.n.dot(r)
		if !(depth > 0 && depth < hit.Depth) {
			continue
		}
		u, v := p.u0+depth*p.u.dot(r), p.v0+depth*p.v.dot(r)
		if p.plane.covers(u, v) {
			hit = Hit{i, depth, u, v}
		}
	}
	return hit
}

func (p *Plane) covers(u, v float64) bool {
	for i := range p.Mask {
		if l := &p.Mask[i]; l.A*u+l.B*v > l.C {
			return false
		}
	}
	return true
}

// background is the intensity where a ray meets nothing.
const background = 0.5

// Intensity is the brightness of pixel (x, y) in [0, 1].
func (e *Eye) Intensity(x, y float64) float64 {
	hit := e.Trace(x, y)
	if hit.Plane < 0 {
		return background
	}
	return e.planes[hit.Plane].plane.Texture.At(hit.u, hit.v)
}

// LogIntensity fills dst, [Height, Width], with ln(I + 0.001).
func (e *Eye) LogIntensity(dst []float64) {
	const dark = 0.001
	for y := range e.rig.Height {
		for x := range e.rig.Width {
			dst[y*e.rig.Width+x] = math.Log(e.Intensity(float64(x), float64(y)) + dark)
		}
	}
}

// Texture is the intensity on a plane, a function of the place (u, v) in metres: a sum
// of sinusoids in random directions and of edges along random lines, within [0.04, 0.96].
type Texture struct {
	waves []wave
	edges []edge
	gain  float64
}

// wave is amplitude * sin(2 pi (fu u + fv v + phase)).
type wave struct{ fu, fv, phase, amplitude float64 }

// edge is a step of the given height where cos u + sin v = at, sharpness per metre.
type edge struct{ cos, sin, at, sharpness, height float64 }

// newTexture draws a texture for a plane on which a pixel is about pixel metres wide
// and that is about size metres large. Wavelengths are from 4 to 40 pixels, so that
// they stay above 2 pixels where the plane is seen at an angle; an edge takes a pixel.
func newTexture(rng *rand.Rand, pixel, size float64) *Texture {
	t := &Texture{}
	var total float64
	for range 6 + rng.IntN(5) {
		length := 4 * pixel * math.Pow(10, rng.Float64())
		sin, cos := math.Sincos(2 * math.Pi * rng.Float64())
		a := 0.3 + 0.7*rng.Float64()
		t.waves = append(t.waves, wave{cos / length, sin / length, rng.Float64(), a})
		total += a * a / 2
	}
	for range 4 + rng.IntN(5) {
		sin, cos := math.Sincos(2 * math.Pi * rng.Float64())
		height := (0.5 + rng.Float64()) * (1 - 2*float64(rng.IntN(2)))
		t.edges = append(t.edges, edge{cos, sin, size * (rng.Float64() - 0.5), 1 / pixel, height})
		total += height * height / 4
	}
	t.gain = 0.5 / (2 * math.Sqrt(total)) // two standard deviations fill the range
	return t
}

// At is the intensity at (u, v).
func (t *Texture) At(u, v float64) float64 {
	var s float64
	for i := range t.waves {
		w := &t.waves[i]
		s += w.amplitude * sine(w.fu*u+w.fv*v+w.phase)
	}
	for i := range t.edges {
		e := &t.edges[i]
		s += e.height * 0.5 * min(1, max(-1, (e.cos*u+e.sin*v-e.at)*e.sharpness*2))
	}
	// A soft limit, x/(1+|x|^3)^(1/3) made cheap: odd, slope 1 at 0, 1 at infinity.
	x := t.gain * s * 2
	return 0.5 + 0.46*x/math.Sqrt(1+x*x)
}

const sineSteps = 4096

var sineTable = func() (t [sineSteps + 1]float64) {
	for i := range t {
		t[i] = math.Sin(2 * math.Pi * float64(i) / sineSteps)
	}
	return t
}()

// sine is sin(2 pi turns) between the values of a table; it is the definition of the
// textures, not an approximation that has to be exact.
func sine(turns float64) float64 {
	p := (turns - math.Floor(turns)) * sineSteps
	i := int(p)
	if uint(i) >= sineSteps { // rounding, or no number
		i = sineSteps - 1
	}
	a := sineTable[i]
	return a + (p-float64(i))*(sineTable[i+1]-a)
}
