//go:build !linux

package bench

// LoadAverage is not known here.
func LoadAverage() (float64, bool) { return 0, false }

// processorTime is not known here.
func processorTime() (float64, bool) { return 0, false }

func firstToGo(int) {}
