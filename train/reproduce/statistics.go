package reproduce

import (
	"fmt"
	"math"
)

// Summary is the mean and the standard deviation of a number over seeds.
type Summary struct {
	// N is the number of values; with none the rest is 0.
	N int `json:"n"`
	// Mean is their mean.
	Mean float64 `json:"mean"`
	// Deviation is the standard deviation of the sample, with N-1 below the root; 0
	// for a single value.
	Deviation float64 `json:"deviation"`
}

// Summarize summarizes values.
func Summarize(values []float64) Summary {
	s := Summary{N: len(values)}
	if s.N == 0 {
		return s
	}
	for _, x := range values {
		s.Mean += x / float64(s.N)
	}
	if s.N > 1 {
		squares := 0.0
		for _, x := range values {
			squares += (x - s.Mean) * (x - s.Mean)
		}
		s.Deviation = math.Sqrt(squares / float64(s.N-1))
	}
	return s
}

// absent stands for a value that is not known.
const absent = "–"

// String is the mean, with its deviation where there is one.
func (s Summary) String() string { return s.text("%.2f", "%.2f") }

// text is the mean, and the deviation where there is one, in the formats given.
func (s Summary) text(mean, deviation string) string {
	switch s.N {
	case 0:
		return absent
	case 1:
		return fmt.Sprintf(mean, s.Mean)
	}
	return fmt.Sprintf(mean+" ± "+deviation, s.Mean, s.Deviation)
}

// String is a number of the paper as the paper writes it.
func (n Number) String() string {
	if n.Deviation == 0 {
		return fmt.Sprintf("%.2f", n.Mean)
	}
	return fmt.Sprintf("%.2f ± %.2f", n.Mean, n.Deviation)
}
