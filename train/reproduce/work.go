package reproduce

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spikedhs/spikedhs/torch/wheel"
	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
)

// order is what a worker is told on its standard input.
type order struct {
	Kind    kind     `json:"kind"`
	Dir     string   `json:"dir"`
	Config  string   `json:"config"` // TOML, empty for a run that is resumed
	Resume  bool     `json:"resume"`
	Version string   `json:"version"`
	Command []string `json:"command"`
}

// Work reads one run from in and does it. The end of in ends the run with a
// checkpoint, so that no worker outlives the program that started it. Log and
// progress are those of [train.Job].
func Work(ctx context.Context, in io.Reader, log *slog.Logger, progress *run.Progress) error {
	decoder := json.NewDecoder(in)
	var o order
	if err := decoder.Decode(&o); err != nil {
		return fmt.Errorf("%w: a worker reads its run from standard input: %w", config.ErrInvalid, err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		// Whatever ends the reading ends the run.
		_, _ = io.Copy(io.Discard, io.MultiReader(decoder.Buffered(), in))
		stop()
	}()
	return o.do(ctx, log, progress)
}

// do does the run.
func (o *order) do(ctx context.Context, log *slog.Logger, progress *run.Progress) error {
	job := train.Job{Out: o.Dir, Resume: o.Resume, Log: log, Progress: progress, Version: o.Version, Command: o.Command}
	if !o.Resume {
		var err error
		if job.Config, err = config.Parse("config.toml", []byte(o.Config)); err != nil {
			return err
		}
	}
	if o.Kind == searching {
		_, err := train.Search(ctx, job)
		return err
	}
	_, err := train.Train(ctx, job)
	return err
}

// order is how a worker is told of a task.
func (o *Options) order(t *task, at state) (*order, error) {
	one := &order{Kind: t.Kind, Dir: t.Dir, Resume: at == begun, Version: o.Version, Command: o.Command}
	if one.Resume {
		return one, nil
	}
	var text bytes.Buffer
	err := t.Config.Encode(&text)
	one.Config = text.String()
	return one, err
}

// do does a task: in a worker's process, or here.
func (o *Options) do(ctx context.Context, t *task, at state) error {
	one, err := o.order(t, at)
	if err != nil {
		return err
	}
	if len(o.Worker) == 0 {
		return one.do(ctx, o.Log, nil)
	}
	cmd := wheel.Command(context.WithoutCancel(ctx), o.Worker...)
	var messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.Discard, &messages
	run.Apart(cmd)
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	told := json.NewEncoder(in).Encode(one) // what fails here, Wait explains
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-ctx.Done():
		case <-ended:
		}
		_ = in.Close() // asks the worker to end; it may have ended already
	}()
	err = cmd.Wait()
	switch {
	case err == nil:
		return told
	case ctx.Err() != nil:
		return train.ErrInterrupted
	}
	return errors.New(complaint(messages.String(), err.Error()))
}

// crashes are how the messages of a program begin that did not end by itself; what
// follows is pages of stacks and registers.
var crashes = []string{"panic: ", "fatal error: ", "runtime: ", "runtime/cgo: ", "SIG", "terminate called"}

// complaint is what a worker says went wrong, without the name of the program: its
// last line, of a crash the first, or another text where there is none.
func complaint(messages, otherwise string) string {
	lines := strings.Split(strings.TrimSpace(messages), "\n")
	for _, line := range lines {
		for _, begin := range crashes {
			if strings.HasPrefix(line, begin) {
				return "the worker crashed: " + strings.TrimSpace(line)
			}
		}
	}
	last := strings.TrimSpace(lines[len(lines)-1])
	if last == "" {
		return otherwise
	}
	return strings.TrimPrefix(last, "spikedhs: ")
}
