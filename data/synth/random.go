package synth

import (
	"math"
	"math/rand/v2"

	"github.com/spikedhs/spikedhs/data/internal/random"
	"github.com/spikedhs/spikedhs/data/stereo"
)

// Layout bounds what [Random] draws.
type Layout struct {
	// Planes is the least and largest number of planes, the far wall included.
	Planes [2]int `json:"planes"`
	// Depth is the least and largest depth in metres: things stand from Depth[0] on, the
	// wall ends before Depth[1].
	Depth [2]float64 `json:"depth"`
	// Speed is the least and largest lateral speed in metres a second.
	Speed [2]float64 `json:"speed"`
	// Yaw is the largest turn of the rig about the vertical in radians a second.
	Yaw float64 `json:"yaw"`
	// Plain is the part of the scenes whose wall has no texture, as in rooms: events come
	// from the things before it alone, which are smaller there. Default 0.
	Plain float64 `json:"plain,omitempty"`
}

// Random draws a scene: a wall and before it convex pieces of planes that face the
// camera within 20 degrees, and a rig that moves on an ellipse, so that it never stands
// still, sways a little ahead and back, and turns a little. The scene lasts duration
// seconds.
func Random(rig stereo.Rig, layout Layout, duration float64, seed uint64) *Scene {
	rng := rand.New(rand.NewPCG(random.Scramble(seed), random.Scramble(seed+1)))
	between := func(a, b float64) float64 { return a + (b-a)*rng.Float64() }
	near, far := layout.Depth[0], layout.Depth[1]
	s := &Scene{Rig: rig}
	halfWidth := float64(rig.Width) / 2 / rig.Focal // tangent of half the field of view

	// The wall: its farthest visible point is before far.
	tilt := between(0, 0.3)
	depth := far * (1 - tilt*halfWidth*1.5) * between(0.45, 0.9)
	wall := NewPlane(Vec{0, 0, depth}, tilted(rng, tilt), nil)
	wall.Texture = newTexture(rng, depth/rig.Focal, 2*depth*halfWidth)
	largest := 1.0
	// Drawn only where it is asked for: scenes without it stay what they were.
	if layout.Plain > 0 && rng.Float64() < layout.Plain {
		wall.Texture = &Texture{}
		largest = between(0.2, 1)
	}
	s.Planes = append(s.Planes, wall)

	count := layout.Planes[0]
	if more := layout.Planes[1] - layout.Planes[0]; more > 0 {
		count += rng.IntN(more + 1)
	}
	for range count - 1 {
		// Logarithmic, as disparity is what should be spread out.
		z := 1.35 * near * math.Pow(min(0.75*depth, 0.6*far)/(1.35*near), rng.Float64())
		x := (between(0.05, 0.95)*float64(rig.Width) - rig.CX) / rig.Focal * z
		y := (between(0.05, 0.95)*float64(rig.Height) - rig.CY) / rig.Focal * z
		at := Vec{x, y, z}
		radius := z * halfWidth * between(0.3, 0.65) * largest
		p := NewPlane(at, tilted(rng, between(0, 0.35)), newTexture(rng, z/rig.Focal, 2*radius))
		p.Mask = polygon(rng, p.U.dot(at), p.V.dot(at), radius)
		s.Planes = append(s.Planes, p)
	}
	s.Motion = randomMotion(rng, layout, near, duration)
	return s
}

// tilted is the normal of a plane that faces the camera but for an angle in radians.
func tilted(rng *rand.Rand, angle float64) Vec {
	sin, cos := math.Sincos(2 * math.Pi * rng.Float64())
	return Vec{cos * math.Sin(angle), sin * math.Sin(angle), math.Cos(angle)}
}

// polygon bounds a convex shape of 4 to 7 sides about (u, v).
func polygon(rng *rand.Rand, u, v, radius float64) []Line {
	n := 4 + rng.IntN(4)
	turn := rng.Float64()
	lines := make([]Line, n)
	for i := range lines {
		angle := 2 * math.Pi * (float64(i) + turn + 0.5*(rng.Float64()-0.5)) / float64(n)
		sin, cos := math.Sincos(angle)
		lines[i] = Line{cos, sin, cos*u + sin*v + radius*(0.5+0.5*rng.Float64())}
	}
	return lines
}

func randomMotion(rng *rand.Rand, layout Layout, near, duration float64) *Trajectory {
	between := func(a, b float64) float64 { return a + (b-a)*rng.Float64() }
	speed := between(layout.Speed[0], layout.Speed[1])
	omega := 2 * math.Pi / between(1.5, 3)
	phase := 2 * math.Pi * rng.Float64()
	direction := 1 - 2*float64(rng.IntN(2))
	side, up := speed/omega, speed/omega*between(0.3, 0.6)
	sway, swayPhase := 0.08*near, 2*math.Pi*rng.Float64()
	yaw, yawOmega, yawPhase := layout.Yaw*rng.Float64(), 2*math.Pi/between(1.5, 3), 2*math.Pi*rng.Float64()
	start := Pose{
		R: rotation(Vec{0, yaw / yawOmega * math.Sin(yawPhase), 0}),
		T: Vec{side * math.Cos(phase), up * math.Sin(phase), sway * math.Sin(swayPhase)},
	}
	return NewTrajectory(start, duration, func(t float64) Vec {
		sin, cos := math.Sincos(direction*omega*t + phase)
		return Vec{-side * omega * direction * sin, up * omega * direction * cos, sway * omega * math.Cos(omega*t+swayPhase)}
	}, func(t float64) Vec {
		return Vec{0, yaw * math.Cos(yawOmega*t+yawPhase), 0}
	})
}
