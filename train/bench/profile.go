package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spikedhs/spikedhs/torch"
)

// OperatorRow is what one operator takes of a step.
type OperatorRow struct {
	Name  string  `json:"name"`
	Calls float64 `json:"calls"` // a step
	// HostMS is the processor's time without the operators that it called, DeviceMS
	// that of its work on a CUDA device; milliseconds a step.
	HostMS   float64 `json:"host_ms"`
	DeviceMS float64 `json:"device_ms,omitempty"`
	// Share is its part of the time that all operators take, on the device where there
	// is one.
	Share float64 `json:"share"`
}

// StepProfile are the operators of a case's step, the slowest first.
type StepProfile struct {
	Bench     string `json:"bench"`
	Precision string `json:"precision"`
	Batch     int    `json:"batch"`
	Width     int    `json:"width"`
	Steps     int    `json:"steps"`
	Device    string `json:"device"`
	// StepMS is a step without a profile, ProfiledMS with it, milliseconds.
	StepMS     float64 `json:"step_ms"`
	ProfiledMS float64 `json:"profiled_ms"`
	// DeviceMS and HostMS are the sums over all operators.
	DeviceMS  float64       `json:"device_ms,omitempty"`
	HostMS    float64       `json:"host_ms"`
	Operators []OperatorRow `json:"operators"`
}

// Profile takes steps of a case, one operator at a time, and says where their time goes.
func Profile(ctx context.Context, c Case, steps int) (_ StepProfile, err error) {
	defer torch.Pin()()
	p := StepProfile{
		Bench: string(c.Task), Precision: c.Precision, Batch: c.Batch, Width: c.Width, Steps: c.Steps, Device: c.Device,
	}
	if c.Impl != Ours || steps < 1 {
		return p, fmt.Errorf("%w: a profile is of at least one step of %s", ErrCase, Ours)
	}
	device, err := torch.ParseDevice(c.Device)
	if err != nil {
		return p, err
	}
	w, err := newWorkload(c)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	run := func(n int) (float64, error) {
		seconds, err := timeSteps(ctx, device, n, w.step)
		return 1000 * seconds / float64(n), err
	}
	if _, err := run(warmUpSteps); err != nil {
		return p, err
	}
	if p.StepMS, err = run(steps); err != nil {
		return p, err
	}
	if err := torch.StartDeviceProfile(device, false); err != nil {
		return p, err
	}
	p.ProfiledMS, err = run(steps)
	list, stopErr := torch.StopProfile()
	if err := errors.Join(err, stopErr); err != nil {
		return p, err
	}
	p.add(list, steps)
	return p, nil
}

// add takes the operators of so many steps.
func (p *StepProfile) add(list []torch.OperatorTime, steps int) {
	n := float64(steps)
	for _, o := range list {
		row := OperatorRow{
			Name: o.Name, Calls: float64(o.Calls) / n, HostMS: milliseconds(o.Self) / n, DeviceMS: milliseconds(o.Device) / n,
		}
		p.HostMS += row.HostMS
		p.DeviceMS += row.DeviceMS
		p.Operators = append(p.Operators, row)
	}
	for i := range p.Operators {
		o := &p.Operators[i]
		if p.DeviceMS > 0 {
			o.Share = o.DeviceMS / p.DeviceMS
		} else {
			o.Share = o.HostMS / p.HostMS
		}
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
