package stream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	data "github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/torch"
	metrics "github.com/spikedhs/spikedhs/train/stereo"
)

// Options of [Run].
type Options struct {
	// Precision of the convolutions, [search.Float32] by default.
	Precision search.Precision
	// Out, where given, gets each step with its disparities in pixels, row after row.
	Out func(step *data.Step, disparity []float32) error
	// Window, above 0, is T: each scored frame with ground truth is computed from a
	// window of so many stacks from rest as well, and both are scored. Frames with
	// fewer before them count in neither. It costs the time of T steps for each.
	Window int
	// Steps, above 0, is after how many to stop.
	Steps int
	// Progress, where given, is told after each step how many are done.
	Progress func(done int)
}

// Scores are metrics over the frames that were scored.
type Scores struct {
	Frames             int     `json:"frames"`
	OnePixelAccuracy   float64 `json:"one_pixel_accuracy"`
	MeanDisparityError float64 `json:"mean_disparity_error_px"`
	MeanDepthError     float64 `json:"mean_depth_error_cm"`
	MedianDepthError   float64 `json:"median_depth_error_cm"`
}

// Result tells what [Run] did.
type Result struct {
	Steps     int `json:"steps"`
	Sequences int `json:"sequences"` // how often the state was reset
	Width     int `json:"width"`
	Height    int `json:"height"`
	// Wrong is how many events were left out.
	Wrong     int    `json:"events_left_out"`
	Precision string `json:"precision"`
	Threads   int    `json:"threads"`
	Device    string `json:"device"`
	// Network is the speed of a step from stacks in memory to disparities in memory;
	// Total with the stacking of events before. Reading and writing of files is in
	// neither. The first two steps of a longer stream do not count.
	Network Speed `json:"network"`
	Total   Speed `json:"with_stacking"`
	// Streaming and Windowed are over the same frames, absent without ground truth.
	// Windows are those of [Options].Window.
	Streaming *Scores `json:"streaming,omitempty"`
	Windowed  *Scores `json:"windowed,omitempty"`
	Window    int     `json:"window,omitempty"`
}

// warmSteps are left out of the timing.
const warmSteps = 2

// Run runs a model over a source, one step at a time. Membranes are put to rest
// where a sequence begins, and nowhere else. It ends with the source, with ctx (its
// error), or after Options.Steps.
func Run(ctx context.Context, m *Model, source Source, o Options) (Result, error) {
	defer torch.Pin()()
	o.Precision = cmp.Or(o.Precision, search.Float32)
	r := &runner{model: m, o: o}
	defer r.state.Reset()
	rig, fb := source.Rig(), focalBaseline(m, source)
	r.streaming.FocalBaseline, r.windowed.FocalBaseline = fb, fb
	r.result = Result{
		Width: rig.Width, Height: rig.Height, Precision: string(o.Precision), Threads: torch.Threads(), Device: torch.DeviceName(m.device),
	}
	for o.Steps <= 0 || r.result.Steps < o.Steps {
		if err := ctx.Err(); err != nil {
			return r.finish(source), err
		}
		step, stacking, err := source.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = r.step(step, stacking)
		}
		if err != nil {
			return r.finish(source), err
		}
		if o.Progress != nil {
			o.Progress(r.result.Steps)
		}
	}
	return r.finish(source), nil
}

// focalBaseline is that of the cameras of a source, or else those that the model was
// trained for.
func focalBaseline(m *Model, source Source) float64 {
	if fb := source.Rig().FB(); fb > 0 {
		return fb
	}
	return m.Info.Rig.FB()
}

type runner struct {
	model               *Model
	o                   Options
	state               stereo.State
	past                []*data.Step // the last of a window, this sequence's
	network, total      latencies
	streaming, windowed metrics.Meter
	result              Result
}

func (r *runner) step(step *data.Step, stacking time.Duration) error {
	if step.C != r.model.Info.Channels {
		return fmt.Errorf("stream: stacks have %d bins, the model takes %d", step.C, r.model.Info.Channels)
	}
	if step.Reset {
		r.state.Reset()
		r.result.Sequences++
		r.past = nil
	}
	began := time.Now()
	disparity, err := r.model.disparity([]*data.Step{step}, &r.state, r.o.Precision)
	if err != nil {
		return fmt.Errorf("stream: step %d of %q: %w", step.Frame.Index, step.Frame.Sequence, err)
	}
	took := time.Since(began)
	r.result.Steps++
	if r.result.Steps > warmSteps {
		r.network.add(took)
		r.total.add(took + stacking)
	}
	if err := r.score(step, disparity); err != nil {
		return err
	}
	if r.o.Out != nil {
		return r.o.Out(step, disparity)
	}
	return nil
}

// score measures a frame with ground truth, by the stream and by a window.
func (r *runner) score(step *data.Step, disparity []float32) error {
	if r.o.Window <= 0 {
		return nil
	}
	r.past = append(r.past, step)
	if len(r.past) > r.o.Window {
		copy(r.past, r.past[1:]) // the oldest does not stay behind
		r.past[r.o.Window] = nil
		r.past = r.past[:r.o.Window]
	}
	if step.Label == nil || !step.Scored || len(r.past) < r.o.Window {
		return nil
	}
	window, err := r.model.disparity(r.past, nil, r.o.Precision)
	if err != nil {
		return fmt.Errorf("stream: window at step %d of %q: %w", step.Frame.Index, step.Frame.Sequence, err)
	}
	if err := r.streaming.Add(disparity, step.Label); err != nil {
		return err
	}
	return r.windowed.Add(window, step.Label)
}

func (r *runner) finish(source Source) Result {
	out := r.result
	out.Wrong = source.Wrong()
	out.Network, out.Total = r.network.speed(), r.total.speed()
	if r.streaming.Result().Frames > 0 {
		out.Window = r.o.Window
		out.Streaming, out.Windowed = scores(r.streaming.Result()), scores(r.windowed.Result())
	}
	return out
}

func scores(m metrics.Metrics) *Scores {
	return &Scores{
		Frames: m.Frames, OnePixelAccuracy: m.OnePixelAccuracy, MeanDisparityError: m.MeanDisparityError,
		MeanDepthError: m.MeanDepthError, MedianDepthError: m.MedianDepthError,
	}
}

// disparity computes the last step of a piece of a stream, or of a window from rest
// where there is no state.
func (m *Model) disparity(steps []*data.Step, state *stereo.State, precision search.Precision) ([]float32, error) {
	s := torch.NewInference()
	defer s.Close()
	last := steps[len(steps)-1]
	views := func(of func(*data.Step) []float32) torch.Tensor {
		list := make([]torch.Tensor, len(steps))
		for i, step := range steps {
			list[i] = torch.Upload(s, m.device, of(step), 1, int64(step.C), int64(step.H), int64(step.W))
		}
		if len(list) == 1 {
			return list[0]
		}
		return s.Cat(list, 0)
	}
	end := torch.Annotate("stream step") // without the wait for its result
	left := views(func(step *data.Step) []float32 { return step.Left })
	right := views(func(step *data.Step) []float32 { return step.Right })
	cost := m.program.Run(s, left, right, len(steps), state, precision)
	if len(steps) > 1 {
		cost = s.Narrow(cost, 0, len(steps)-1, 1)
	}
	d := m.program.Estimate(s, cost)
	end()
	if s.Err() != nil {
		return nil, s.Err()
	}
	values, err := torch.ToSlice[float32](d)
	if err != nil {
		return nil, err
	}
	if len(values) != last.H*last.W {
		return nil, fmt.Errorf("%d disparities for %d x %d pixels", len(values), last.W, last.H)
	}
	return values, nil
}

// latencies is a histogram of durations of fixed size: its cells are one percent
// wide, from a microsecond to half an hour.
type latencies struct {
	cells [2200]int
	count int
}

const cellRatio = 1.01

func (l *latencies) add(d time.Duration) {
	i := int(math.Log(max(d.Seconds()*1e6, 1)) / math.Log(cellRatio))
	l.cells[min(i, len(l.cells)-1)]++
	l.count++
}

// quantile is the duration in milliseconds that a share of all do not exceed, to one
// percent; 0 without any.
func (l *latencies) quantile(share float64) float64 {
	if l.count == 0 {
		return 0
	}
	rank := int(math.Ceil(share * float64(l.count)))
	for i, n := range l.cells {
		if rank -= n; rank <= 0 {
			return math.Pow(cellRatio, float64(i)+0.5) / 1e3
		}
	}
	return math.Inf(1)
}

// Speed tells how long a step takes. P50 is the median, P95 what only one step in
// twenty exceeds; a frame rate is the inverse.
type Speed struct {
	MillisecondsP50 float64 `json:"ms_p50"`
	MillisecondsP95 float64 `json:"ms_p95"`
	FPSP50          float64 `json:"fps_p50"`
	FPSP95          float64 `json:"fps_p95"`
}

func (l *latencies) speed() Speed {
	s := Speed{MillisecondsP50: l.quantile(0.5), MillisecondsP95: l.quantile(0.95)}
	if l.count > 0 {
		s.FPSP50, s.FPSP95 = 1000/s.MillisecondsP50, 1000/s.MillisecondsP95
	}
	return s
}
