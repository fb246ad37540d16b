//go:build !linux

package reproduce

import "os/exec"

// byItself has nothing to do where process groups are not as on Linux.
func byItself(*exec.Cmd) {}
