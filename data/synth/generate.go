package synth

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/spikedhs/spikedhs/data/internal/ordered"
	"github.com/spikedhs/spikedhs/data/npy"
	"github.com/spikedhs/spikedhs/data/stereo"
)

// SceneFile is the file in a scene's folder that says how it was made.
const SceneFile = "scene.json"

// recipe is all that a scene depends on.
type recipe struct {
	Version  int        `json:"version"`
	Rig      stereo.Rig `json:"rig"`
	Frames   int        `json:"frames"`
	Seed     uint64     `json:"seed"`
	Scene    int        `json:"scene"`
	Layout   Layout     `json:"layout"`
	Camera   Model      `json:"camera"`
	Sparsity Sparsity   `json:"sparsity"`
}

// version changes whenever the same recipe gives other scenes.
const version = 1

// Generate makes scenes in folder dir in the layout of package stereo, with exact
// disparity and occlusion beside the labels, and a split by scene: of ten scenes, seven
// are for training, one for validation and two for test. Scenes that are there already
// and were made by the same options are kept, so that an interrupted call can be
// repeated. It fails on options out of range, when ctx ends, and on errors of files.
func Generate(ctx context.Context, dir string, o Options) error {
	if err := o.check(); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if err := stereo.WriteRig(dir, o.Rig); err != nil {
		return err
	}
	if err := stereo.WriteScenes(dir, split(o.Scenes)); err != nil {
		return err
	}
	var mu sync.Mutex
	done := 0
	report := func(frames int) {
		mu.Lock()
		defer mu.Unlock()
		done += frames
		if o.Progress != nil {
			o.Progress(done, o.Scenes*o.Frames)
		}
	}
	return ordered.Each(ctx, o.Scenes, o.Workers, func(ctx context.Context) func(int) error {
		return func(k int) error {
			if err := generateScene(ctx, filepath.Join(dir, sceneName(k)), o, k, report); err != nil {
				return fmt.Errorf("synth: scene %d: %w", k, err)
			}
			return nil
		}
	}, nil)
}

func sceneName(k int) string { return fmt.Sprintf("scene_%04d", k) }

// split deals scenes out to the parts; with few of them, each part gets one as far as
// they reach, training first.
func split(scenes int) stereo.Scenes {
	test := min(max(1, int(math.Round(0.2*float64(scenes)))), max(0, scenes-1))
	validation := min(max(1, int(math.Round(0.1*float64(scenes)))), max(0, scenes-1-test))
	s := stereo.Scenes{Train: []string{}, Validation: []string{}, Test: []string{}}
	for k := range scenes {
		switch {
		case k < scenes-validation-test:
			s.Train = append(s.Train, sceneName(k))
		case k < scenes-test:
			s.Validation = append(s.Validation, sceneName(k))
		default:
			s.Test = append(s.Test, sceneName(k))
		}
	}
	return s
}

// generateScene makes scene k in folder dir. timestamps.txt is written last: a folder
// without it is not finished.
func generateScene(ctx context.Context, dir string, o Options, k int, report func(frames int)) error {
	want, err := json.MarshalIndent(recipe{version, o.Rig, o.Frames, o.Seed, k, o.Layout, o.Camera, o.Sparsity}, "", "  ")
	if err != nil {
		return err
	}
	want = append(want, '\n')
	timestamps := filepath.Join(dir, stereo.TimestampsFile)
	made, err := os.ReadFile(filepath.Join(dir, SceneFile))
	if err == nil && bytes.Equal(made, want) {
		if _, err := os.Stat(timestamps); err == nil {
			report(o.Frames)
			return nil
		}
	}
	if _, err := os.Stat(timestamps); err == nil && made == nil {
		return fmt.Errorf("%s holds a sequence that was not made here; choose another folder", dir)
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	for _, folder := range []string{"event0", "event1", stereo.DisparityFolder, stereo.FloatFolder, stereo.OcclusionFolder} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o777); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, SceneFile), want, 0o666); err != nil {
		return err
	}
	seed := mix(o.Seed, 0, uint64(k))
	scene := Random(o.Rig, o.Layout, float64(o.Frames)*stereo.Window, seed)
	recorder, err := NewRecorder(scene, o.Camera, seed)
	if err != nil {
		return err
	}
	var times []float64
	for i := range o.Frames {
		f, err := recorder.Next(ctx)
		if err != nil {
			return err
		}
		if err := writeFrame(dir, i, f, o, seed); err != nil {
			return err
		}
		times = append(times, f.Time)
		report(1)
	}
	return stereo.WriteTimestamps(timestamps, times)
}

func writeFrame(dir string, i int, f Frame, o Options, seed uint64) error {
	w, h := o.Rig.Width, o.Rig.Height
	for v, events := range f.Events {
		if err := stereo.WriteEvents(stereo.EventFile(dir, stereo.View(v), i), events); err != nil {
			return err
		}
	}
	if err := npy.WriteFile(stereo.FloatFile(dir, i), []int{h, w}, f.Truth.Disparity); err != nil {
		return err
	}
	if err := stereo.WriteLabel(stereo.OcclusionFile(dir, i), w, h, f.Truth.Occlusion); err != nil {
		return err
	}
	return stereo.WriteLabel(stereo.DisparityFile(dir, i), w, h, o.Sparsity.label(f.Truth, w, seed, uint64(i)))
}

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
