package stereo

import (
	"cmp"
	"fmt"
	"math"
)

// Binning says how events become a stack (SBT, Wang et al. 2019). The zero value
// stands for the five bins of 10 ms that the SpikeDHS group uses.
type Binning struct {
	// Bins is the number of bins, which become channels. Default 5.
	Bins int
	// Width is the length of a bin in seconds. Default 0.01.
	Width float64
}

func (b Binning) withDefaults() (Binning, error) {
	b.Bins, b.Width = cmp.Or(b.Bins, 5), cmp.Or(b.Width, 0.01)
	if b.Bins < 1 || b.Bins > 100 || !(b.Width > 0) || math.IsInf(b.Width, 1) {
		return b, fmt.Errorf("stereo: %d bins of %g s: choose 1 to 100 bins longer than 0", b.Bins, b.Width)
	}
	return b, nil
}

// span is the time in seconds that a stack covers.
func (b Binning) span() float64 { return float64(b.Bins) * b.Width }

// slack is how far, in seconds, an event may lie outside of its stack: timestamps.txt
// has six decimals only.
const slack = 2e-6

// bin is the bin of an event at time t of the stack that ends at end: 0 is the newest,
// floor((end-t)/Width). ok tells whether t is in the stack.
func (b Binning) bin(t, end float64) (bin int, ok bool) {
	age := end - t
	if !(age > -slack && age < b.span()+slack) {
		return 0, false
	}
	// In milliseconds and divided by the width, like the released code: a time on the
	// edge of a bin then falls on the same side.
	bin = int(math.Floor(age * 1000 / (b.Width * 1000)))
	return min(max(bin, 0), b.Bins-1), true
}

// Stack fills dst, [Bins, height, width], with the sign of the sum of polarities of
// each bin and pixel, oldest bin first, for the time that ends at end (in seconds). It
// returns how many events lie outside of that time; events must lie inside of the
// picture.
func (b Binning) Stack(dst []int8, events []Event, end float64, width, height int) (outside int) {
	b, _ = b.withDefaults()
	sums := make([]int32, len(dst))
	for _, e := range events {
		bin, ok := b.bin(e.T, end)
		if !ok {
			outside++
			continue
		}
		sums[((b.Bins-1-bin)*height+int(e.Y))*width+int(e.X)] += int32(e.P)
	}
	for i, sum := range sums {
		dst[i] = int8(min(1, max(-1, sum)))
	}
	return outside
}
