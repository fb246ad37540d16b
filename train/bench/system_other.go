//go:build !linux

package bench

import "os/exec"

// peakMegabytes is not known here without cgo.
func peakMegabytes() float64 { return 0 }

// LoadAverage is not known here.
func LoadAverage() (float64, bool) { return 0, false }

func firstToGo(int) {}

func byItself(*exec.Cmd) {}
