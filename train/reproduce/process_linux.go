package reproduce

import (
	"os/exec"
	"syscall"
)

// byItself keeps the signals of the terminal from a worker: this program ends it.
func byItself(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
