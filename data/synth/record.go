package synth

import (
	"context"
	"math"
	"sync"

	"github.com/spikedhs/spikedhs/data/internal/random"
	"github.com/spikedhs/spikedhs/data/stereo"
)

const (
	// longest is the largest time between two samples of the picture in seconds.
	longest = 0.005
	// motion is how many pixels the picture may move between two samples.
	motion = 0.5
	// halvings is how often the time between samples is halved where the picture changes
	// by more than the threshold.
	halvings = 3
	// jumps is the part of the pixels that may change by more: those that an edge of a
	// plane passes, which change at once however short the time.
	jumps = 0.02
)

// Frame are the events of both views in the 50 ms before Time, and what is true then.
type Frame struct {
	Time   float64
	Events [2][]stereo.Event
	Truth  Truth
}

// Recorder films a scene with two event cameras.
type Recorder struct {
	scene   *Scene
	model   Model
	cameras [2]*Camera
	events  [2][]stereo.Event
	frame   int
	nearest float64
}

// NewRecorder starts at time 0. seed decides the noise of the cameras.
func NewRecorder(s *Scene, m Model, seed uint64) (*Recorder, error) {
	r := &Recorder{scene: s, model: m, nearest: s.Truth(0).Nearest}
	for v := range r.cameras {
		logI := make([]float64, s.Rig.Width*s.Rig.Height)
		s.Eye(stereo.View(v), 0).LogIntensity(logI)
		var err error
		if r.cameras[v], err = NewCamera(m, s.Rig.Width, logI, random.Scramble(seed)+uint64(v)); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Next films the next 50 ms. The events of a frame lie strictly between the times of
// the frame before it and its own.
func (r *Recorder) Next(ctx context.Context) (Frame, error) {
	from, to := float64(r.frame)*stereo.Window, float64(r.frame+1)*stereo.Window
	for v := range r.events {
		r.events[v] = r.events[v][:0]
	}
	n := int(math.Ceil((to - from) / r.longestStep(from, to)))
	for i := range n {
		if err := ctx.Err(); err != nil {
			return Frame{}, err
		}
		a, b := from+(to-from)*float64(i)/float64(n), from+(to-from)*float64(i+1)/float64(n)
		r.advance(a, b)
	}
	r.frame++
	f := Frame{Time: to, Truth: r.scene.Truth(to)}
	r.nearest = f.Truth.Nearest
	for v, events := range r.events {
		kept := make([]stereo.Event, 0, len(events))
		for _, e := range events {
			if e.T > from && e.T < to {
				kept = append(kept, e)
			}
		}
		f.Events[v] = kept
	}
	return f, nil
}

// longestStep is the time in which no point of the picture moves by more than motion
// pixels: |flow| <= f |v| (1 + r) / Z + f |w| (1 + r^2) for a ray r off the axis.
func (r *Recorder) longestStep(from, to float64) float64 {
	rig := r.scene.Rig
	x := max(rig.CX, float64(rig.Width)-rig.CX) / rig.Focal
	y := max(rig.CY, float64(rig.Height)-rig.CY) / rig.Focal
	off := math.Hypot(x, y)
	const samples = 8
	step := longest
	for i := range samples + 1 {
		t := from + (to-from)*float64(i)/samples
		v, w := r.scene.Motion.Velocity(t).norm(), r.scene.Motion.Turn(t).norm()
		// The nearest depth is that of the last frame, less what the rig came closer since.
		near := max(0.1*r.nearest, r.nearest-v*(to-from))
		flow := rig.Focal * (v*(1+off)/near + w*(1+off*off))
		if flow > 0 {
			step = min(step, motion/flow)
		}
	}
	return step
}

// sample is the picture of both views at one time.
type sample struct {
	time float64
	logI [2][]float64
}

// advance films from a to b, with samples between where the picture changes fast. The
// samples to come stand on a stack, the next on top.
func (r *Recorder) advance(a, b float64) {
	type pending struct {
		sample
		depth int
	}
	todo := []pending{{r.render(b), 0}}
	for len(todo) > 0 {
		next := todo[len(todo)-1]
		if next.depth < halvings && r.tooFast(next.sample) {
			todo[len(todo)-1].depth++
			todo = append(todo, pending{r.render((a + next.time) / 2), next.depth + 1})
			continue
		}
		todo = todo[:len(todo)-1]
		r.both(func(v int) {
			r.events[v] = r.cameras[v].Step(r.events[v], a, next.time, next.logI[v])
		})
		a = next.time
	}
}

// render renders both views.
func (r *Recorder) render(t float64) sample {
	s := sample{time: t}
	r.both(func(v int) {
		s.logI[v] = make([]float64, r.scene.Rig.Width*r.scene.Rig.Height)
		r.scene.Eye(stereo.View(v), t).LogIntensity(s.logI[v])
	})
	return s
}

// both runs f for the two views at once.
func (r *Recorder) both(f func(v int)) {
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		f(1)
	}()
	f(0)
	wg.Wait()
}

// tooFast reports whether more pixels than those that an edge of a plane passes change
// by more than the threshold.
func (r *Recorder) tooFast(s sample) bool {
	for v := range s.logI {
		n, before := 0, r.cameras[v].before
		for i, l := range s.logI[v] {
			if math.Abs(l-before[i]) > r.model.Threshold {
				n++
			}
		}
		if float64(n) > jumps*float64(len(before)) {
			return true
		}
	}
	return false
}
