package data

import "math"

// Bilinear resizing with anti-aliasing: each output pixel is the mean of the source
// pixels around it under a triangle, which is as wide as the step from one output
// pixel to the next, and two source pixels at least. Rows and columns are resized
// one after the other, in integers.

const (
	weightBits = 14 // of the fraction of a weight
	valueBits  = 6  // of the fraction of a pixel between the two passes
)

// taps are the weights of one axis.
type taps struct {
	width  int     // weights of an output pixel
	first  []int   // first source pixel of each output pixel
	weight []int32 // width of each, in 1/2^weightBits; those of a pixel add up to 1
}

// set makes the weights that map the stretch from..to of source pixels to n output
// pixels. Only the source pixels low..high-1 are read; there must be one at least.
func (t *taps) set(n int, from, to float64, low, high int) {
	scale := (to - from) / float64(n)
	reach := math.Max(scale, 1)
	t.width = min(int(math.Ceil(reach))*2+1, high-low)
	t.first = resized(t.first, n)
	t.weight = resized(t.weight, n*t.width)
	var exact [64]float64
	values := exact[:]
	if t.width > len(values) {
		values = make([]float64, t.width)
	}
	for i := range n {
		middle := from + (float64(i)+0.5)*scale
		// Pixel p covers p..p+1; its middle lies under the triangle from first on.
		first := int(math.Floor(middle - reach + 0.5))
		first = max(low, min(first, high-t.width))
		t.first[i] = first
		sum := 0.0
		for k := range t.width {
			v := math.Max(0, 1-math.Abs(float64(first+k)+0.5-middle)/reach)
			values[k] = v
			sum += v
		}
		row := t.weight[i*t.width : (i+1)*t.width]
		if sum == 0 { // the window lies outside of the pixels: the nearest one
			clear(row)
			if middle < float64(first) {
				row[0] = 1 << weightBits
			} else {
				row[t.width-1] = 1 << weightBits
			}
			continue
		}
		left, largest := int32(1<<weightBits), 0
		for k := range row {
			row[k] = int32(math.Round(values[k] / sum * (1 << weightBits)))
			left -= row[k]
			if row[k] > row[largest] {
				largest = k
			}
		}
		row[largest] += left
	}
}

// reads are the source pixels that are used, from the first to behind the last.
func (t *taps) reads() (low, high int) {
	return t.first[0], t.first[len(t.first)-1] + t.width
}

// across resizes one row of 8-bit pixels.
func (t *taps) across(dst []uint16, src []byte) {
	const half, shift = 1 << (weightBits - valueBits - 1), weightBits - valueBits
	dst = dst[:len(t.first)]
	switch weights := t.weight; t.width {
	case 3:
		for i, first := range t.first {
			p, w := src[first:first+3:first+3], weights[3*i:3*i+3:3*i+3]
			dst[i] = uint16((int32(p[0])*w[0] + int32(p[1])*w[1] + int32(p[2])*w[2] + half) >> shift)
		}
	case 5:
		for i, first := range t.first {
			p, w := src[first:first+5:first+5], weights[5*i:5*i+5:5*i+5]
			dst[i] = uint16((int32(p[0])*w[0] + int32(p[1])*w[1] + int32(p[2])*w[2] + int32(p[3])*w[3] + int32(p[4])*w[4] + half) >> shift)
		}
	default:
		for i, first := range t.first {
			w := weights[i*t.width : (i+1)*t.width]
			p := src[first : first+len(w)]
			sum := int32(half)
			for k, v := range w {
				sum += int32(p[k]) * v
			}
			dst[i] = uint16(sum >> shift)
		}
	}
}

// down makes row i of the output, with valueBits of fraction, of rows that across
// has resized; rows[0] is source row base.
func (t *taps) down(dst []int32, rows []uint16, i, base int) {
	n := len(dst)
	start := (t.first[i] - base) * n
	begun := false
	for k, w := range t.weight[i*t.width : (i+1)*t.width] {
		if w == 0 {
			continue
		}
		row := rows[start+k*n : start+(k+1)*n]
		row = row[:len(dst)]
		if !begun {
			begun = true
			for x := range dst {
				dst[x] = int32(row[x])*w + 1<<(weightBits-1)
			}
			continue
		}
		for x := range dst {
			dst[x] += int32(row[x]) * w
		}
	}
	for x := range dst {
		dst[x] >>= weightBits
	}
}

// plane is one channel of a picture, maybe with fewer samples than the picture has
// pixels: one for subX columns and subY rows.
type plane struct {
	pixels        []byte
	stride        int
	width, height int
	subX, subY    int
}

// planeResizer resizes one plane; it keeps its memory from picture to picture.
type planeResizer struct {
	x, y taps
	rows []uint16
	base int // source row of rows[0]
	row  []int32
}

// begin resizes the rows of the part w of p to n pixels.
func (r *planeResizer) begin(p plane, w window, n int) {
	set := func(t *taps, from, to float64, low, high, sub, size int) {
		t.set(n, from/float64(sub), to/float64(sub), min(low/sub, size-1), min((high+sub-1)/sub, size))
	}
	set(&r.x, w.x0, w.x1, w.left, w.right, p.subX, p.width)
	set(&r.y, w.y0, w.y1, w.top, w.foot, p.subY, p.height)
	low, high := r.y.reads()
	r.base = low
	r.rows = resized(r.rows, (high-low)*n)
	r.row = resized(r.row, n)
	for y := low; y < high; y++ {
		r.x.across(r.rows[(y-low)*n:(y-low+1)*n], p.pixels[y*p.stride:y*p.stride+p.width])
	}
}

// next is row i of the output.
func (r *planeResizer) next(i int) []int32 {
	r.y.down(r.row, r.rows, i, r.base)
	return r.row
}

// resized is s with n elements, in its own memory where that is large enough.
func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
