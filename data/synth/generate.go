package synth

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
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
