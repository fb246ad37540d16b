//go:build !linux

package run

// residentMegabytes is not known here without cgo.
func residentMegabytes() (megabytes float64, ok bool) { return 0, false }

// PeakMegabytes is not known here without cgo.
func PeakMegabytes() (megabytes float64, ok bool) { return 0, false }
