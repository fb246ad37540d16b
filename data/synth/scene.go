package synth

import (
	"math"

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
