package synth

import (
	"fmt"
	"math"
	"strings"

	"github.com/spikedhs/spikedhs/data/stereo"
)

// Options say what [Generate] makes. [Preset] has values for them.
type Options struct {
	// Rig are the cameras.
	Rig stereo.Rig
	// Scenes is the number of scenes, Frames that of the frames of 50 ms of each.
	Scenes, Frames int
	// Seed decides everything random. Scene k is the same for any number of scenes.
	Seed uint64
	// Layout bounds what scenes hold.
	Layout Layout
	// Camera is how pixels react.
	Camera Model
	// Sparsity is which labels are left.
	Sparsity Sparsity
	// Workers is how many scenes are made at a time. Default 0: one for each core.
	Workers int
	// Progress, which may be nil, is told how many frames of all scenes are done.
	Progress func(done, total int)
}

// Presets are the names for [Preset].
func Presets() []string { return []string{"small", "dvs128", "full"} }

// Preset are the options of a name: "small" has pictures of 132 x 96 pixels, made for
// training on two cores (focal length 76, disparity 1.5 to 11 pixels), "dvs128" the same
// with 128 x 128 pixels, the size of the first event cameras, and "full" the rectified
// cameras of MVSEC (346 x 260, disparity 4 to 28 pixels).
func Preset(name string) (Options, error) {
	o := Options{
		Scenes: 20, Frames: 40,
		Layout: Layout{Planes: [2]int{3, 5}, Depth: [2]float64{0.7, 5}, Speed: [2]float64{0.3, 1}, Yaw: 0.1},
		Camera: Model{Threshold: 0.25, Sigma: 0.03},
	}
	switch name {
	case "small":
		o.Rig = stereo.Rig{Width: 132, Height: 96, Focal: 76, CX: 65.5, CY: 47.5, Baseline: 0.1}
	case "dvs128":
		o.Rig = stereo.Rig{Width: 128, Height: 128, Focal: 76, CX: 63.5, CY: 63.5, Baseline: 0.1}
	case "full":
		o.Rig = stereo.MVSECRig
	default:
		return o, fmt.Errorf("synth: no preset %q; choose one of %s", name, strings.Join(Presets(), ", "))
	}
	return o, nil
}

func (o Options) check() error {
	l := o.Layout
	switch {
	case o.Rig.Width < 8 || o.Rig.Height < 8 || o.Rig.Width > 4096 || o.Rig.Height > 4096 || !(o.Rig.Focal > 0) || !(o.Rig.Baseline > 0):
		return fmt.Errorf("synth: rig %+v: pictures must have 8 to 4096 pixels a side, focal length and baseline be above 0", o.Rig)
	case o.Scenes < 1 || o.Frames < 1 || o.Scenes > 9999 || o.Frames > 999999:
		return fmt.Errorf("synth: %d scenes of %d frames: choose 1 to 9999 scenes of at least 1 frame", o.Scenes, o.Frames)
	case l.Planes[0] < 1 || l.Planes[1] < l.Planes[0] || l.Planes[1] > 100:
		return fmt.Errorf("synth: %d to %d planes: choose 1 to 100", l.Planes[0], l.Planes[1])
	case !(l.Depth[0] > 0) || !(l.Depth[1] >= 2*l.Depth[0]) || math.IsInf(l.Depth[1], 1):
		return fmt.Errorf("synth: depth %g to %g m: choose a least depth above 0 and a largest of at least twice that", l.Depth[0], l.Depth[1])
	case !(l.Speed[0] >= 0) || !(l.Speed[1] >= l.Speed[0]) || !(l.Yaw >= 0) || math.IsInf(l.Speed[1]+l.Yaw, 1):
		return fmt.Errorf("synth: speed %g to %g m/s, yaw %g: choose values from 0 up", l.Speed[0], l.Speed[1], l.Yaw)
	}
	if !(l.Plain >= 0 && l.Plain <= 1) {
		return fmt.Errorf("synth: plain walls in a part %g of the scenes: choose 0 to 1", l.Plain)
	}
	for _, part := range []float64{o.Sparsity.Rows, o.Sparsity.Pixels} {
		if !(part >= 0 && part <= 1) {
			return fmt.Errorf("synth: sparsity %+v: parts are in 0..1", o.Sparsity)
		}
	}
	return o.Camera.check()
}
