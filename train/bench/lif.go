package bench

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	scripts "github.com/spikedhs/spikedhs/bench"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/run"
)

// LIFCase are the tensors that the neuron is measured on: [Steps*Batch, Width,
// Size, Size], in channels-last order as between the layers of a network.
type LIFCase struct {
	Setting
	Repeats int
	// Seconds is about how long a sample takes; default 2.
	Seconds float64
}

// Bandwidth is how fast something moves its bytes, beside a plain copy.
type Bandwidth struct {
	Bench     string `json:"bench"`
	Pass      string `json:"pass"`
	Surrogate string `json:"surrogate"`
	Setting
	// Rate is neurons times steps a second; the median of the repeats.
	Rate   float64 `json:"rate_per_s"`
	Spread float64 `json:"spread"`
	// GBPerS counts the bytes that must move, 10^9 a second: forward the current
	// once read and the spikes once written; backward current and gradient read
	// and a gradient written.
	GBPerS float64 `json:"gb_per_s"`
	// CopyGBPerS is what copy_ of a tensor of that size reaches, read and write
	// counted, and Share is GBPerS over it.
	CopyGBPerS float64 `json:"copy_gb_per_s"`
	Share      float64 `json:"share_of_copy"`
	PeakRSSMB  float64 `json:"peak_rss_mb,omitempty"`
}

// tensorWork is something that is timed in turn with others.
type tensorWork struct {
	name    string
	units   float64 // what a run moves or computes, in multiples of a size
	run     func(*torch.Scope)
	steps   int
	samples []float64 // 10^9 a second
}

// LIF measures spikedhs::lif forward, and forward and backward, in turn with a
// copy.
func LIF(ctx context.Context, c LIFCase) (rows []Bandwidth, err error) {
	defer torch.Pin()()
	device, err := setUp(c.Device, c.Threads)
	if err != nil {
		return nil, err
	}
	dtype, bytes := search.Precision(c.Precision).Type(), 4.0
	if search.Precision(c.Precision).Short() {
		bytes = 2
	}
	s := torch.NewInference()
	defer func() { err = errors.Join(err, s.Close()) }()
	side := int64(c.Size)
	shape := []int64{int64(c.Steps * c.Batch), int64(c.Width), side, side}
	// Currents around the threshold: some neurons fire, most derivatives are not 0.
	current := s.ChannelsLast(s.Cast(torch.Uniform(1)(s, device, shape), dtype))
	gradient, target := s.Clone(current), s.Clone(current)
	temperature := s.Full(device, spike.DefaultTemperature, 1)
	elements := 1.0
	for _, n := range shape {
		elements *= float64(n)
	}
	lif := spike.Default()
	fire := func(k *torch.Scope) torch.Tensor { return lif.Fire(k, current, temperature, c.Steps) }
	works := []*tensorWork{
		{name: "copy", units: 2, run: func(k *torch.Scope) { k.CopyTo(target, current) }},
		{name: "forward", units: 2, run: func(k *torch.Scope) { fire(k) }},
		{name: "forward+backward", units: 5, run: func(k *torch.Scope) {
			fire(k)
			k.Call("spikedhs::lif_backward", gradient, nil, current, temperature, lif.Tau, lif.Threshold, c.Steps, nil)
		}},
	}
	if err := inTurn(ctx, device, works, elements*bytes, c.Repeats, c.Seconds); err != nil {
		return nil, fmt.Errorf("bench: lif: %w", err)
	}
	c.Impl, c.Device = Ours, torch.DeviceName(device)
	reference := median(works[0].samples)
	for _, w := range works[1:] {
		rate := median(w.samples)
		rows = append(rows, Bandwidth{
			Bench: "lif", Pass: w.name, Surrogate: lif.Surrogate.String(), Setting: c.Setting,
			Rate: rate * 1e9 / (w.units * bytes), Spread: spread(w.samples), GBPerS: rate,
			CopyGBPerS: reference, Share: rate / reference, PeakRSSMB: run.PeakMegabytes(),
		})
	}
	return rows, nil
}

// inTurn warms works up and takes samples of each in turn, in 10^9 a second; size
// is the bytes or operations of a unit.
func inTurn(ctx context.Context, device torch.Device, works []*tensorWork, size float64, repeats int, seconds float64) error {
	timedRun := func(w *tensorWork, steps int) (float64, error) {
		return timeSteps(ctx, device, steps, func() error { return inScope(torch.NewInference(), w.run) })
	}
	for _, w := range works {
		var one float64
		for range warmUpSteps {
			var err error
			if one, err = timedRun(w, 1); err != nil {
				return err
			}
		}
		w.steps = stepsFor(seconds, one)
	}
	for range max(repeats, 1) {
		for _, w := range works {
			seconds, err := timedRun(w, w.steps)
			if err != nil {
				return err
			}
			w.samples = append(w.samples, w.units*size*float64(w.steps)/seconds/1e9)
		}
	}
	return nil
}

// LIFAgreement compares our neuron with that of SpikingJelly on the same currents, with
// the surrogate that both have.
type LIFAgreement struct {
	Bench     string `json:"bench"`
	Precision string `json:"precision"`
	// Implementation is what SpikingJelly computes with: cuda, triton or torch.
	Implementation string  `json:"implementation"`
	FiringRate     float64 `json:"firing_rate"`
	// Differ is how many of all Spikes differ: a membrane at the threshold may round to
	// either side of it.
	Differ int64 `json:"spikes_that_differ"`
	Spikes int64 `json:"spikes"`
	// GradientDifference is the largest, over the largest gradient, of neurons that fire
	// alike in all steps.
	GradientDifference float64 `json:"gradient_difference"`
}

// SpikingJellyLIF measures our neuron and that of SpikingJelly in turn, in a process of
// p that has both. shim is the path of libspikedhs.so, whose libtorch must be that of p;
// device is where, "" that of the case.
func SpikingJellyLIF(ctx context.Context, c LIFCase, p *Python, shim, device string) (LIFAgreement, []Bandwidth, error) {
	var agreement LIFAgreement
	text, err := json.Marshal(map[string]any{
		"library": shim, "device": cmp.Or(device, c.Device), "precision": c.Precision, "batch": c.Batch, "width": c.Width, "steps": c.Steps,
		"size": c.Size, "threads": c.Threads, "repeats": max(c.Repeats, 1), "seconds": max(c.Seconds, 0),
	})
	if err != nil {
		return agreement, nil, fmt.Errorf("bench: lif: %w", err)
	}
	out, err := answerOf(ctx, p.Dir, nil, p.Program, filepath.Join(p.Dir, scripts.SpikingJellyLIF), string(text))
	if ctx.Err() != nil {
		return agreement, nil, ctx.Err()
	}
	if err != nil {
		return agreement, nil, fmt.Errorf("bench: lif: %s: %w", p.Program, err)
	}
	answers := json.NewDecoder(bytes.NewReader(out))
	if err := answers.Decode(&agreement); err != nil {
		return agreement, nil, fmt.Errorf("bench: lif: %s: %w", p.Program, err)
	}
	var rows []Bandwidth
	for answers.More() {
		var row Bandwidth
		if err := answers.Decode(&row); err != nil {
			return agreement, nil, fmt.Errorf("bench: lif: %s: %w", p.Program, err)
		}
		rows = append(rows, row)
	}
	if !slices.ContainsFunc(rows, func(r Bandwidth) bool { return r.Impl == SpikingJelly }) {
		return agreement, nil, errors.New("bench: lif: no rows of SpikingJelly")
	}
	return agreement, rows, nil
}
