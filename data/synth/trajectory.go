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
