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
	"time"

	"github.com/spikedhs/spikedhs/torch/wheel"
)

// Plan says how cases are measured.
type Plan struct {
	// Worker is the command line that runs [Work]; the case as JSON is appended.
	Worker []string
	// Graphs measures our side a second time, with its steps recorded as CUDA graphs.
	Graphs bool
	// Python runs the sides to compare with; nil: none.
	Python *Python
	// Others are those sides, where a case has them: [PythonSides], [SpikingJellySides].
	// PythonDevice is what they compute on; "": the device of the case.
	Others       []string
	PythonDevice string
	// Repeats is the number of samples of each side, at least 1.
	Repeats int
	// Seconds is about how long a sample takes: so many steps it has, at least
	// one. Default 2.
	Seconds float64
	// Most is about how long a case may take; 0: as long as it wants. When it is over,
	// every side that is warm gets one sample, and a side that is not gets none; a side
	// that hangs is ended after half as much again.
	Most time.Duration
	// Apart starts a process anew for every sample, so that only one side at a
	// time holds memory. It costs a warm-up each time.
	Apart bool
	// Log receives what happens. Default: nothing.
	Log *slog.Logger
}

const (
	// warmUpSteps is the number of steps that are not counted; one is enough when it
	// takes longer than slowStep seconds.
	warmUpSteps = 2
	slowStep    = 8.0
	// mostSteps limits the steps of a sample.
	mostSteps = 1000
)

// PythonSides are the networks in plain PyTorch, SpikingJellySides those of
// SpikingJelly.
func PythonSides() []string       { return []string{PythonFolded, PythonPerStep} }
func SpikingJellySides() []string { return []string{SpikingJelly, SpikingJellyDHS} }

// Sides are the implementations of a case that are compared, in the order of their turns.
func (p *Plan) Sides(c Case) []string {
	list := []string{Ours}
	if p.Graphs {
		list = append(list, OursGraphs)
	}
	for _, impl := range p.Others {
		if p.Python != nil && c.Has(impl) {
			list = append(list, impl)
		}
	}
	return list
}

// side is the state of one implementation in a measurement.
type side struct {
	c       Case
	row     Row
	process *process
	steps   int // of a sample
	forget  context.CancelFunc
}

// Run measures one case by all sides in turn. A side in Python that fails, or graphs
// that cannot be recorded, have a row with Error; the failure of ours ends the
// measurement.
func (p *Plan) Run(ctx context.Context, c Case) ([]Row, []Pair, error) {
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	var sides []*side
	for _, impl := range p.Sides(c) {
		own := c.as(impl)
		if !ours(impl) && p.PythonDevice != "" {
			own.Device = p.PythonDevice
		}
		if err := own.validatePrecision(); err != nil {
			return nil, nil, err
		}
		sides = append(sides, &side{c: own, row: own.row()})
	}
	defer func() {
		for _, s := range sides {
			if s.process != nil {
				s.process.kill()
			}
			if s.forget != nil {
				s.forget()
			}
		}
	}()
	began := time.Now()
	over := func() bool { return p.Most > 0 && time.Since(began) > p.Most }
	turn := func(work func(*side) error) error {
		for _, s := range sides {
			if s.row.Error != "" {
				continue
			}
			if over() && s.steps == 0 && s.c.Impl != Ours {
				s.row.Error = fmt.Sprintf("not measured: the %v of the case were over", p.Most)
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
		// The processes load their libraries at once, and warm up one by one.
		if err := turn(func(s *side) error { return p.start(ctx, s) }); err != nil {
			return nil, nil, err
		}
		if err := turn(func(s *side) error { return p.warmUp(ctx, s) }); err != nil {
			return nil, nil, err
		}
	}
	for i := range max(p.Repeats, 1) {
		if i > 0 && over() {
			break
		}
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

// start starts the process of a side.
func (p *Plan) start(ctx context.Context, s *side) error {
	if p.Most > 0 && s.c.Impl != Ours && s.forget == nil {
		ctx, s.forget = context.WithTimeout(ctx, p.Most*3/2)
	}
	command, err := p.command(ctx, s.c)
	if err != nil {
		return err
	}
	s.process, err = start(s.c.Impl, command)
	return err
}

// warmUp waits until the case of a side is built, and warms it up.
func (p *Plan) warmUp(ctx context.Context, s *side) error {
	var err error
	if s.row.Torch, err = s.process.ready(ctx); err != nil {
		return err
	}
	var seconds float64
	for range warmUpSteps {
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
	if ours(c.Impl) {
		return wheel.Command(ctx, append(slices.Clone(p.Worker), string(text))...), nil
	}
	command := exec.CommandContext(ctx, p.Python.Program, filepath.Join(p.Python.Dir, kinds[c.Task].script(c.Impl)), string(text))
	command.Dir = p.Python.Dir
	return command, nil
}

// sample measures a side once.
func (p *Plan) sample(ctx context.Context, s *side) error {
	if p.Apart {
		if err := p.start(ctx, s); err != nil {
			return err
		}
		if err := p.warmUp(ctx, s); err != nil {
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
	s.row.PeakDeviceMB = max(s.row.PeakDeviceMB, last.PeakDeviceMB)
	s.row.FiringRate = last.FiringRate
	return nil
}

// results are the rows of the sides, and each of ours over those that come after.
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
	for i, own := range rows {
		if !ours(own.Impl) {
			break
		}
		for _, other := range rows[i+1:] {
			if pair, ok := own.over(other); ok {
				pairs = append(pairs, pair)
			}
		}
	}
	return rows, pairs, nil
}
