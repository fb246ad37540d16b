package synth

import "math"

// Pose is where the left camera is: a point X of the camera is R X + T in the world.
type Pose struct {
	R Mat
	T Vec
}

// poseStep is the step in seconds of the integration of a pose.
const poseStep = 0.0005

// Trajectory is a motion of the rig, given by velocities and integrated to poses.
type Trajectory struct {
	// Velocity is in metres a second in the world.
	Velocity func(t float64) Vec
	// Turn is the angular velocity in radians a second, about the axes of the camera.
	Turn func(t float64) Vec

	poses []Pose // every poseStep
}

// NewTrajectory integrates a motion from the pose start at time 0 for duration seconds.
func NewTrajectory(start Pose, duration float64, velocity, turn func(t float64) Vec) *Trajectory {
	tr := &Trajectory{Velocity: velocity, Turn: turn, poses: []Pose{start}}
	for i := range int(math.Ceil(duration/poseStep)) + 1 {
		p := tr.advance(tr.poses[i], float64(i)*poseStep, poseStep)
		p.R = p.R.orthonormal()
		tr.poses = append(tr.poses, p)
	}
	return tr
}

// advance integrates for dt seconds by the midpoint rule, whose error is O(dt^2).
func (tr *Trajectory) advance(p Pose, t, dt float64) Pose {
	return Pose{
		R: p.R.times(rotation(tr.Turn(t + dt/2).scale(dt))),
		T: p.T.add(tr.Velocity(t + dt/2).scale(dt)),
	}
}

// Pose is the pose at time t in seconds, from 0 to the duration.
func (tr *Trajectory) Pose(t float64) Pose {
	i := min(max(int(t/poseStep), 0), len(tr.poses)-1)
	rest := t - float64(i)*poseStep
	if rest == 0 {
		return tr.poses[i]
	}
	return tr.advance(tr.poses[i], float64(i)*poseStep, rest)
}

// Vec is a point or direction in metres: x to the right, y down, z ahead.
type Vec [3]float64

func (a Vec) add(b Vec) Vec       { return Vec{a[0] + b[0], a[1] + b[1], a[2] + b[2]} }
func (a Vec) scale(s float64) Vec { return Vec{a[0] * s, a[1] * s, a[2] * s} }
func (a Vec) dot(b Vec) float64   { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }
func (a Vec) norm() float64       { return math.Sqrt(a.dot(a)) }
func (a Vec) unit() Vec           { return a.scale(1 / a.norm()) }
func (a Vec) cross(b Vec) Vec {
	return Vec{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
}

// Mat is a rotation, row after row.
type Mat [3]Vec

func identity() Mat { return Mat{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}} }

func (m Mat) apply(v Vec) Vec { return Vec{m[0].dot(v), m[1].dot(v), m[2].dot(v)} }

// back is the transpose of m, which undoes the rotation, applied to v.
func (m Mat) back(v Vec) Vec {
	return m[0].scale(v[0]).add(m[1].scale(v[1])).add(m[2].scale(v[2]))
}

func (m Mat) times(n Mat) (p Mat) {
	for i := range m {
		for j := range n {
			p[i][j] = m[i][0]*n[0][j] + m[i][1]*n[1][j] + m[i][2]*n[2][j]
		}
	}
	return p
}

// rotation is the rotation about the direction of w by |w| radians (Rodrigues).
func rotation(w Vec) Mat {
	angle := w.norm()
	if angle < 1e-300 {
		return identity()
	}
	k := w.scale(1 / angle)
	s, c := math.Sincos(angle)
	var m Mat
	for i := range m {
		for j := range m[i] {
			m[i][j] = (1 - c) * k[i] * k[j]
		}
		m[i][i] += c
	}
	m[0][1] -= s * k[2]
	m[0][2] += s * k[1]
	m[1][0] += s * k[2]
	m[1][2] -= s * k[0]
	m[2][0] -= s * k[1]
	m[2][1] += s * k[0]
	return m
}

// orthonormal takes the rounding errors of many products out of m.
func (m Mat) orthonormal() Mat {
	x := m[0].unit()
	z := x.cross(m[1]).unit()
	return Mat{x, z.cross(x), z}
}
