package stream

import (
	"math"
	"time"
)

// latencies is a histogram of durations of fixed size: its cells are one percent
// wide, from a microsecond to half an hour.
type latencies struct {
	cells [2200]int
	count int
}

const cellRatio = 1.01

func (l *latencies) add(d time.Duration) {
	i := int(math.Log(max(d.Seconds()*1e6, 1)) / math.Log(cellRatio))
	l.cells[min(i, len(l.cells)-1)]++
	l.count++
}

// quantile is the duration in milliseconds that a share of all do not exceed, to one
// percent; 0 without any.
func (l *latencies) quantile(share float64) float64 {
	if l.count == 0 {
		return 0
	}
	rank := int(math.Ceil(share * float64(l.count)))
	for i, n := range l.cells {
		if rank -= n; rank <= 0 {
			return math.Pow(cellRatio, float64(i)+0.5) / 1e3
		}
	}
	return math.Inf(1)
}

// Speed tells how long a step takes. P50 is the median, P95 what only one step in
// twenty exceeds; a frame rate is the inverse.
type Speed struct {
	MillisecondsP50 float64 `json:"ms_p50"`
	MillisecondsP95 float64 `json:"ms_p95"`
	FPSP50          float64 `json:"fps_p50"`
	FPSP95          float64 `json:"fps_p95"`
}

func (l *latencies) speed() Speed {
	s := Speed{MillisecondsP50: l.quantile(0.5), MillisecondsP95: l.quantile(0.95)}
	if l.count > 0 {
		s.FPSP50, s.FPSP95 = 1000/s.MillisecondsP50, 1000/s.MillisecondsP95
	}
	return s
}
