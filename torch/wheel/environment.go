package wheel

import (
	"context"
	"os"
	"os/exec"
)

// The loader reads LD_LIBRARY_PATH when a program starts and never again. The launcher
// keeps what it was before in the second variable, empty where it was not set.
const (
	pathVariable   = "LD_LIBRARY_PATH"
	beforeVariable = "SPIKEDHS_LD_LIBRARY_PATH"
)

// launched are the two variables as the launcher set them, for processes of this
// program; nil where there was no launcher.
var launched []string

// Restore puts LD_LIBRARY_PATH back to what it was before the launcher, so that the
// processes which this one starts do not find the libraries of the wheel: a Python may
// have another PyTorch. It is called once, at the very start.
func Restore() {
	before, set := os.LookupEnv(beforeVariable)
	if !set {
		return
	}
	launched = []string{pathVariable + "=" + os.Getenv(pathVariable), beforeVariable + "=" + before}
	// Names that are constants are no reason to fail.
	_ = os.Unsetenv(beforeVariable)
	if before == "" {
		_ = os.Unsetenv(pathVariable)
		return
	}
	_ = os.Setenv(pathVariable, before)
}

// Command is a process of this program once more: the path of the program and its
// arguments. It needs the libraries that [Restore] took off the path. The end of ctx
// ends it.
func Command(ctx context.Context, words ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, words[0], words[1:]...)
	c.Env = append(os.Environ(), launched...)
	return c
}
