package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	scripts "github.com/spikedhs/spikedhs/bench"
	"github.com/spikedhs/spikedhs/torch/wheel"
)

// ErrPython is wrapped by the error of a machine without a usable Python.
var ErrPython = errors.New("no Python with PyTorch")

// Python is an interpreter with PyTorch, and a folder with the scripts.
type Python struct {
	// Program is the interpreter, Version that of its PyTorch.
	Program, Version string
	// Dir is the folder of the scripts.
	Dir string
}

// FindPython finds an interpreter that can import PyTorch and unpacks the scripts
// for it: the given one, or, where that is "", the first of those that a program of a
// wheel belongs to, that the environment variable PYTHON names, python3, and
// /usr/bin/python3. Close removes the scripts.
func FindPython(ctx context.Context, program string) (*Python, error) {
	candidates := []string{program}
	if program == "" {
		candidates = interpreters()
	}
	// An empty folder: elsewhere a folder named torch would be taken for PyTorch.
	dir, err := os.MkdirTemp("", "spikedhs-bench-")
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	p := &Python{Dir: dir}
	var tried []string
	for _, name := range candidates {
		if name == "" {
			continue
		}
		version, err := pytorchVersion(ctx, name, dir)
		if err == nil {
			p.Program, p.Version = name, version
			break
		}
		tried = append(tried, fmt.Sprintf("%s (%v)", name, err))
	}
	if ctx.Err() != nil {
		return nil, errors.Join(ctx.Err(), p.Close())
	}
	if p.Program == "" {
		return nil, errors.Join(fmt.Errorf("%w: tried %s; install PyTorch (Debian: python3-torch) or name another with --python",
			ErrPython, strings.Join(tried, ", ")), p.Close())
	}
	if err := scripts.Unpack(dir); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// interpreters are the Pythons to try, the likeliest first; some may be "".
func interpreters() []string {
	return []string{wheel.Python(), os.Getenv("PYTHON"), "python3", "/usr/bin/python3"}
}

func pytorchVersion(ctx context.Context, program, dir string) (string, error) {
	text, err := answerOf(ctx, dir, nil, program, "-c", "import torch; print(torch.__version__)")
	return strings.TrimSpace(string(text)), err
}

// answerOf is what a program in a folder prints; where it fails, the error is its last
// message.
func answerOf(ctx context.Context, dir string, in io.Reader, program string, args ...string) ([]byte, error) {
	var problem tail
	c := exec.CommandContext(ctx, program, args...)
	c.Dir, c.Stdin, c.Stderr = dir, in, &problem
	text, err := c.Output()
	if err == nil || ctx.Err() != nil {
		return text, ctx.Err()
	}
	return nil, errors.New(problem.orElse(err.Error()))
}

// Close removes the scripts. A nil Python has none.
func (p *Python) Close() error {
	if p == nil {
		return nil
	}
	return os.RemoveAll(p.Dir)
}
