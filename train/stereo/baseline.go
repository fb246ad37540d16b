package stereo

import (
	"fmt"
	"math"
	"slices"
)

// BlockMatching is the baseline without learning: for each pixel of the left view
// the disparity whose window in the right view differs least, by the sum of absolute
// differences (SAD). The bins of a stack are summed first.
type BlockMatching struct {
	// Window is the side of the window in pixels, an odd number. Default 9.
	Window int
	// MaxDisparity is the largest disparity in pixels that is tried.
	MaxDisparity int
}

// Match gives the disparity in pixels [height, width] of two stacks [c, height,
// width]. Windows end at the border of the picture and are compared by their mean
// difference; a pixel at column x has disparities up to x. Ties go to the smaller
// disparity. A parabola through the neighbours of the least difference gives
// fractions of a pixel.
func (b BlockMatching) Match(left, right []float32, c, height, width int) ([]float32, error) {
	if b.Window == 0 {
		b.Window = 9
	}
	if b.Window < 1 || b.Window%2 == 0 || b.MaxDisparity < 1 {
		return nil, fmt.Errorf("stereo: block matching: window %d, disparity up to %d px; want an odd window and at least 1 px: %w",
			b.Window, b.MaxDisparity, ErrFrame)
	}
	if size := c * height * width; size == 0 || len(left) != size || len(right) != size {
		return nil, fmt.Errorf("stereo: block matching: %d and %d values, want %d x %d x %d: %w", len(left), len(right), c, height, width, ErrFrame)
	}
	l, r := summed(left, c, height*width), summed(right, c, height*width)
	planes := b.MaxDisparity + 1
	costs := make([][]float64, planes) // of each disparity, [height, width]
	for d := range planes {
		costs[d] = b.differences(l, r, d, height, width)
	}
	out := make([]float32, height*width)
	for i := range out {
		best := 0
		for d := 1; d < planes; d++ {
			if costs[d][i] < costs[best][i] {
				best = d
			}
		}
		out[i] = float32(float64(best) + fraction(costs, best, i))
	}
	return out, nil
}

// summed adds the bins of a stack.
func summed(stack []float32, c, pixels int) []float64 {
	sum := make([]float64, pixels)
	for k := range c {
		for i, v := range stack[k*pixels:][:pixels] {
			sum[i] += float64(v)
		}
	}
	return sum
}

// differences are the mean absolute differences of the windows around every pixel
// at one disparity, +Inf where the right view has no such pixel.
func (b BlockMatching) differences(l, r []float64, d, height, width int) []float64 {
	// sums[y][x] is the sum over rows below y and columns below x; counts alike.
	sums := make([]float64, (height+1)*(width+1))
	counts := make([]float64, (height+1)*(width+1))
	for y := range height {
		row, n := 0.0, 0.0
		for x := range width {
			if x >= d {
				row += math.Abs(l[y*width+x] - r[y*width+x-d])
				n++
			}
			at := (y+1)*(width+1) + x + 1
			sums[at], counts[at] = sums[at-width-1]+row, counts[at-width-1]+n
		}
	}
	out := make([]float64, height*width)
	half := b.Window / 2
	for y := range height {
		top, bottom := max(0, y-half), min(height, y+half+1)
		for x := range width {
			if x < d {
				out[y*width+x] = math.Inf(1)
				continue
			}
			before, behind := max(0, x-half), min(width, x+half+1)
			box := func(of []float64) float64 {
				return of[bottom*(width+1)+behind] - of[top*(width+1)+behind] - of[bottom*(width+1)+before] + of[top*(width+1)+before]
			}
			out[y*width+x] = box(sums) / box(counts)
		}
	}
	return out
}

// fraction is the place of the least value of a parabola through three costs, in
// -0.5..0.5 around the middle one.
func fraction(costs [][]float64, best, i int) float64 {
	if best == 0 || best == len(costs)-1 {
		return 0
	}
	before, at, behind := costs[best-1][i], costs[best][i], costs[best+1][i]
	curvature := before - 2*at + behind
	if math.IsInf(behind, 1) || curvature <= 0 {
		return 0
	}
	return min(max((before-behind)/(2*curvature), -0.5), 0.5)
}

// Constant is the baseline that knows nothing of a scene: one disparity everywhere,
// the median of the labels that it has seen.
type Constant struct{ counts map[float32]int64 }

// Add takes the labels of a frame in pixels; +Inf and NaN are none.
func (c *Constant) Add(labels []float32) {
	if c.counts == nil {
		c.counts = map[float32]int64{}
	}
	for _, d := range labels {
		if v := float64(d); !math.IsInf(v, 0) && !math.IsNaN(v) {
			c.counts[d]++
		}
	}
}

// Disparity is the lower median of all labels, 0 where there was none.
func (c *Constant) Disparity() float32 {
	values := make([]float32, 0, len(c.counts))
	var total int64
	for d, n := range c.counts {
		values = append(values, d)
		total += n
	}
	slices.Sort(values)
	var before int64
	for _, d := range values {
		if before += c.counts[d]; 2*before >= total {
			return d
		}
	}
	return 0
}
