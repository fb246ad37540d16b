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
)

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
