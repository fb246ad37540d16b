package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os/exec"
	"path/filepath"
	"slices"

	scripts "github.com/spikedhs/spikedhs/bench"
	"github.com/spikedhs/spikedhs/torch/wheel"
)

// Plan says how cases are measured.
type Plan struct {
	// Worker is the command line that runs [Work]; the case as JSON is appended.
	Worker []string
	// Python has the sides to compare with; nil: none.
	Python *Python
	// Repeats is the number of samples of each side, at least 1.
	Repeats int
	// Seconds is about how long a sample takes: so many steps it has, at least
	// one. Default 2.
	Seconds float64
	// Apart starts a process anew for every sample, so that only one side at a
	// time holds memory. It costs a warm-up each time.
	Apart bool
	// Log receives what happens. Default: nothing.
	Log *slog.Logger
}

const (
	// warmUp is the number of steps that are not counted; one is enough when it
	// takes longer than slowStep seconds.
	warmUp   = 2
	slowStep = 8.0
	// mostSteps limits the steps of a sample.
	mostSteps = 1000
)

// Sides are the implementations that are compared, in the order of their turns.
func (p *Plan) Sides() []string {
	if p.Python == nil {
		return []string{Ours}
	}
	return []string{Ours, PythonFolded, PythonPerStep}
}

// side is the state of one implementation in a measurement.
type side struct {
	c       Case
	row     Row
	process *process
	steps   int // of a sample
}

// Run measures one case by all sides in turn. A side in Python that fails has a
// row with Error; the failure of ours ends the measurement.
func (p *Plan) Run(ctx context.Context, c Case) ([]Row, []Pair, error) {
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	var sides []*side
	for _, impl := range p.Sides() {
		if impl == PythonFolded && c.Task.stereo() {
			continue // written one way only
		}
		own := c.as(impl)
		sides = append(sides, &side{c: own, row: own.row()})
	}
	defer func() {
		for _, s := range sides {
			if s.process != nil {
				s.process.kill()
			}
		}
	}()
	turn := func(work func(*side) error) error {
		for _, s := range sides {
			if s.row.Error != "" {
				continue
			}
			err := work(s)
			if lost(err) && s.c.Impl != Ours {
				p.Log.Warn("a side of the benchmark failed", "case", s.c.String(), "error", err)
				s.row.Error, s.process = err.Error(), nil
				continue
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	if !p.Apart {
		if err := turn(func(s *side) error { return p.begin(ctx, s) }); err != nil {
			return nil, nil, err
		}
	}
	for range max(p.Repeats, 1) {
		if err := turn(func(s *side) error { return p.sample(ctx, s) }); err != nil {
			return nil, nil, err
		}
	}
	if !p.Apart {
		if err := turn(func(s *side) error { return p.finish(ctx, s) }); err != nil {
			return nil, nil, err
		}
	}
	return results(sides)
}

// begin starts the process of a side and warms it up.
func (p *Plan) begin(ctx context.Context, s *side) error {
	command, err := p.command(ctx, s.c)
	if err != nil {
		return err
	}
	if s.process, err = start(ctx, s.c.Impl, command); err != nil {
		return err
	}
	s.row.Torch = s.process.torch
	var seconds float64
	for range warmUp {
		if seconds, err = s.process.run(ctx, 1); err != nil {
			return err
		}
		if seconds > slowStep {
			break
		}
	}
	s.steps = stepsFor(p.Seconds, seconds)
	p.Log.Debug("warmed up", "case", s.c.String(), "seconds", seconds, "steps", s.steps)
	return nil
}

// stepsFor is how many steps that take so many seconds each fill a sample.
func stepsFor(sample, one float64) int {
	if sample <= 0 {
		sample = 2
	}
	return int(min(max(math.Round(sample/max(one, 1e-9)), 1), mostSteps))
}

// command is the process of a side. The end of ctx ends it.
func (p *Plan) command(ctx context.Context, c Case) (*exec.Cmd, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	if c.Impl == Ours {
		return wheel.Command(ctx, append(slices.Clone(p.Worker), string(text))...), nil
	}
	script := scripts.Worker
	if c.Task.stereo() {
		script = scripts.StereoWorker
	}
	command := exec.CommandContext(ctx, p.Python.Program, filepath.Join(p.Python.Dir, script), string(text))
	command.Dir = p.Python.Dir
	return command, nil
}

// sample measures a side once.
func (p *Plan) sample(ctx context.Context, s *side) error {
	if p.Apart {
		if err := p.begin(ctx, s); err != nil {
			return err
		}
	}
	seconds, err := s.process.run(ctx, s.steps)
	if err != nil {
		return err
	}
	s.row.Samples = append(s.row.Samples, float64(s.steps*s.c.Batch)/seconds)
	p.Log.Debug("sample", "case", s.c.String(), "rate", s.row.Samples[len(s.row.Samples)-1])
	if p.Apart {
		return p.finish(ctx, s)
	}
	return nil
}

// finish ends the process of a side.
func (p *Plan) finish(ctx context.Context, s *side) error {
	last, err := s.process.end(ctx)
	if err != nil {
		return err
	}
	s.process = nil
	s.row.PeakRSSMB = max(s.row.PeakRSSMB, last.PeakRSSMB)
	s.row.FiringRate = last.FiringRate
	return nil
}

// results are the rows of the sides, and the first over each other one.
func results(sides []*side) (rows []Row, pairs []Pair, err error) {
	for _, s := range sides {
		if s.row.Error != "" {
			s.row.Samples = nil
		} else if len(s.row.Samples) == 0 {
			return nil, nil, errors.New("bench: no sample was taken")
		} else {
			s.row.Rate, s.row.Spread = median(s.row.Samples), spread(s.row.Samples)
		}
		rows = append(rows, s.row)
	}
	for _, other := range rows[1:] {
		if pair, ok := rows[0].over(other); ok {
			pairs = append(pairs, pair)
		}
	}
	return rows, pairs, nil
}
