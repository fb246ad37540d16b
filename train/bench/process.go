package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/run"
)

// process is a running worker.
type process struct {
	name   string
	cmd    *exec.Cmd
	in     io.WriteCloser
	answer *json.Decoder
	errors tail
}

// start starts a worker.
func start(name string, command *exec.Cmd) (*process, error) {
	p := &process{name: name, cmd: command}
	p.cmd.Stderr = &p.errors
	run.Apart(p.cmd)
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("bench: %s: %w", name, err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("bench: %s: %w", name, err)
	}
	p.answer = json.NewDecoder(out)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("bench: %s: %w", name, err)
	}
	firstToGo(p.cmd.Process.Pid)
	return p, nil
}

// ready waits until the case is built and returns the version of the worker's libtorch.
func (p *process) ready(ctx context.Context) (torch string, err error) {
	var r ready
	err = p.read(ctx, &r)
	return r.Torch, err
}

// read reads one answer. After a failure the worker is gone.
func (p *process) read(ctx context.Context, answer any) error {
	err := p.answer.Decode(answer)
	if err == nil {
		return nil
	}
	p.kill()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("bench: %s ended early: %s", p.name, p.errors.orElse(p.cmd.ProcessState.String()))
}

// run runs steps and returns the seconds they took.
func (p *process) run(ctx context.Context, steps int) (float64, error) {
	if _, err := fmt.Fprintln(p.in, steps); err != nil {
		return 0, p.read(ctx, &timed{}) // says why it is gone
	}
	var t timed
	if err := p.read(ctx, &t); err != nil {
		return 0, err
	}
	return t.Seconds, nil
}

// end asks for the last answer and waits for the worker.
func (p *process) end(ctx context.Context) (ended, error) {
	var last ended
	if err := p.in.Close(); err != nil {
		return last, fmt.Errorf("bench: %s: %w", p.name, err)
	}
	if err := p.read(ctx, &last); err != nil {
		return last, err
	}
	if err := p.cmd.Wait(); err != nil {
		return last, fmt.Errorf("bench: %s: %w: %s", p.name, err, p.errors.orElse("no message"))
	}
	return last, nil
}

// kill ends the worker at once.
func (p *process) kill() {
	_ = p.in.Close()
	// It may have ended already.
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// tail keeps the last line of what is written to it.
type tail struct{ text []byte }

func (t *tail) Write(b []byte) (int, error) {
	const most = 4096
	t.text = append(t.text, b...)
	if len(t.text) > most {
		t.text = t.text[len(t.text)-most:]
	}
	return len(b), nil
}

// orElse is the last line, or another text where there is none.
func (t *tail) orElse(text string) string {
	lines := strings.Split(strings.TrimSpace(string(t.text)), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return last
	}
	return text
}

// lost reports whether err says that a worker failed, not that somebody wanted it
// to end.
func lost(err error) bool {
	return err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// The answers of a worker; the scripts give the same.
type (
	ready struct {
		Torch string `json:"torch"`
	}
	timed struct {
		Seconds float64 `json:"seconds"`
	}
	ended struct {
		PeakRSSMB    float64 `json:"peak_rss_mb"`
		PeakDeviceMB float64 `json:"peak_device_mb,omitempty"`
		FiringRate   float64 `json:"firing_rate,omitempty"`
	}
)

// Work is our side of a case, in a process of its own: it builds the case and
// answers the numbers of steps that it reads with the seconds they took, until in
// ends.
func Work(ctx context.Context, c Case, in io.Reader, out io.Writer) (err error) {
	defer torch.Pin()()
	w, err := newWorkload(c)
	if err != nil {
		return err
	}
	device, err := torch.ParseDevice(c.Device)
	if err != nil {
		return errors.Join(err, w.close())
	}
	defer func() { err = errors.Join(err, w.close()) }()
	answer := json.NewEncoder(out)
	if err := answer.Encode(ready{torch.Version()}); err != nil {
		return fmt.Errorf("bench: answer: %w", err)
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		steps, err := strconv.Atoi(strings.TrimSpace(lines.Text()))
		if err != nil || steps < 1 {
			return fmt.Errorf("bench: %q is no number of steps", lines.Text())
		}
		seconds, err := timeSteps(ctx, device, steps, w.step)
		if err != nil {
			return err
		}
		if err := answer.Encode(timed{seconds}); err != nil {
			return fmt.Errorf("bench: answer: %w", err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("bench: read: %w", err)
	}
	last := ended{PeakRSSMB: run.PeakMegabytes()}
	if torch.IsCUDA(device) {
		memory, err := torch.DeviceMemory(device)
		if err != nil {
			return fmt.Errorf("bench: %w", err)
		}
		last.PeakDeviceMB = float64(memory.Peak) / (1 << 20)
	}
	if f, ok := w.(firing); ok {
		if last.FiringRate, err = f.firingRate(); err != nil {
			return err
		}
	}
	return answer.Encode(last)
}
