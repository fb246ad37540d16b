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

// A packed stack has the values -1, 0, +1 of five channels of a pixel as the digits of
// one byte in base 3, a fifth of the room: plane p of [planes, H, W] holds channels
// 5p..5p+4.
const perByte = 5

func planes(channels int) int { return (channels + perByte - 1) / perByte }

// digits are the five values of a packed byte.
var digits = func() (d [243][perByte]int8) {
	for v := range d {
		rest := v
		for c := range perByte {
			d[v][c] = int8(rest%3) - 1
			rest /= 3
		}
	}
	return d
}()

// digitTables are the values of each channel by the bytes of its plane, for so many planes.
func digitTables(planes int) [][]float32 {
	tables := make([][]float32, perByte)
	for c := range tables {
		for range planes {
			table := make([]float32, 256)
			for v := range digits {
				table[v] = float32(digits[v][c])
			}
			tables[c] = append(tables[c], table...)
		}
	}
	return tables
}

// pack packs a stack of [channels, pixels].
func pack(stack []int8, channels, pixels int) []byte {
	packed := make([]byte, planes(channels)*pixels)
	weight := [perByte]byte{1, 3, 9, 27, 81}
	for c := range planes(channels) * perByte {
		plane := packed[c/perByte*pixels:][:pixels]
		if c >= channels { // no channel: 0, which is the digit 1
			for i := range plane {
				plane[i] += weight[c%perByte]
			}
			continue
		}
		for i, v := range stack[c*pixels:][:pixels] {
			plane[i] += byte(v+1) * weight[c%perByte]
		}
	}
	return packed
}

// validPacked tells whether all bytes can be unpacked.
func validPacked(packed []byte) bool {
	for _, v := range packed {
		if v >= byte(len(digits)) {
			return false
		}
	}
	return true
}

// crop is a part of a picture.
type crop struct{ x, y, width, height int }

// unpack writes a part of a packed stack, of a picture width pixels wide, to dst,
// [channels, part.height, part.width].
func unpack[T int8 | float32](dst []T, packed []byte, channels, width, height int, part crop) {
	pixels, size := width*height, part.width*part.height
	for first := 0; first < channels; first += perByte {
		plane := packed[first/perByte*pixels:][:pixels]
		n := min(perByte, channels-first)
		for y := range part.height {
			row := plane[(part.y+y)*width+part.x:][:part.width]
			for c := range n {
				out := dst[(first+c)*size+y*part.width:][:part.width]
				for x, v := range row {
					out[x] = T(digits[v][c])
				}
			}
		}
	}
}
