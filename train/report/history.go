package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/spikedhs/spikedhs/train/run"
)

// epochKey and stepKey say in a record where in the run it was written.
const (
	epochKey = "epoch"
	stepKey  = "step"
)

// point is a place in a chart.
type point struct{ x, y float64 }

// of returns the records of a kind.
func (s *source) of(kind string) []run.Record {
	return slices.Collect(func(yield func(run.Record) bool) {
		for _, r := range s.records {
			if r.Kind == kind && !yield(r) {
				return
			}
		}
	})
}

// curve returns the values of a key over the values of another. A key is looked for
// among what depends on the seed, then among what depends on the clock.
func curve(records []run.Record, over, key string) []point {
	var points []point
	for _, r := range records {
		x, known := r.Fields.Float(over)
		y, ok := r.Fields.Float(key)
		if !ok {
			y, ok = r.Wall.Float(key)
		}
		if known && ok && finite(x) {
			points = append(points, point{x, y})
		}
	}
	return points
}

// last returns the last finite value of a curve.
func last(points []point) (point, bool) {
	for _, p := range slices.Backward(points) {
		if finite(p.y) {
			return p, true
		}
	}
	return point{}, false
}

// highest returns the first of the largest values of a curve.
func highest(points []point) (best point, ok bool) {
	for _, p := range points {
		if finite(p.y) && (!ok || p.y > best.y) {
			best, ok = p, true
		}
	}
	return best, ok
}

// median returns the middle of the finite values of a curve.
func median(points []point) (float64, bool) {
	var values []float64
	for _, p := range points {
		if finite(p.y) {
			values = append(values, p.y)
		}
	}
	if len(values) == 0 {
		return 0, false
	}
	slices.Sort(values)
	middle := len(values) / 2
	if len(values)%2 == 0 {
		return (values[middle-1] + values[middle]) / 2, true
	}
	return values[middle], true
}

// thin averages neighbours until at most the given number of points is left.
func thin(points []point, most int) []point {
	group := (len(points) + most - 1) / most
	if group <= 1 {
		return points
	}
	var means []point
	for some := range slices.Chunk(points, group) {
		var sum point
		for _, p := range some {
			sum.x, sum.y = sum.x+p.x, sum.y+p.y
		}
		n := float64(len(some))
		means = append(means, point{sum.x / n, sum.y / n})
	}
	return means
}

// seconds is the time the run has computed for, over all its parts.
func (s *source) seconds() float64 { return s.largest("seconds") }

// memory is the largest memory of the process that a record saw, in MiB.
func (s *source) memory() float64 { return s.largest("rss_mb") }

func (s *source) largest(key string) float64 {
	var most float64
	for _, r := range s.records {
		if x, ok := r.Wall.Float(key); ok {
			most = max(most, x) // NaN stays out: wall values are numbers
		}
	}
	return most
}

// finite reports whether x is a number that can be drawn.
func finite(x float64) bool { return math.Abs(x) < 1e300 }

// progress is how far a run has come.
type progress struct {
	done, planned int
	ended         bool
}

func (s *source) progress() progress {
	c := s.folder.Config()
	p := progress{ended: !s.folder.Info().Ended.IsZero()}
	records := s.of(trainEpoch)
	p.planned = c.Train.Epochs
	if s.searches() {
		records, p.planned = s.of(searchEpoch), c.Search.Epochs
	}
	if at, ok := last(curve(records, epochKey, epochKey)); ok {
		p.done = int(at.x)
	}
	return p
}

// searches reports whether the run is a search and nothing else. Before the first
// record only the configuration can tell: a training names its genotype or has it
// in the folder from the start.
func (s *source) searches() bool {
	if len(s.of(trainEpoch)) > 0 || s.search != nil {
		return false
	}
	return len(s.of(searchEpoch)) > 0 || s.genotype == nil && s.folder.Config().Train.Genotype == ""
}

// word is the state in a word.
func (p progress) word() string {
	if p.ended {
		return "finished"
	}
	return "unfinished"
}

// String is the number of epochs, with the planned number where it differs.
func (p progress) String() string {
	if p.done == p.planned {
		return fmt.Sprint(p.done)
	}
	return fmt.Sprintf("%d of %d", p.done, p.planned)
}

// sentence says what a reader should know before the numbers; empty for a run that
// did all it was to do.
func (p progress) sentence() string {
	switch {
	case !p.ended && p.done == 0:
		return fmt.Sprintf("This run is unfinished: none of %s is complete yet.", plural(p.planned, "epoch"))
	case !p.ended:
		return fmt.Sprintf("This run is unfinished: the report shows %d of %s.", p.done, plural(p.planned, "epoch"))
	case p.done > 0 && p.done < p.planned:
		return fmt.Sprintf("This run ended early, after %d of %s.", p.done, plural(p.planned, "epoch"))
	}
	return ""
}
