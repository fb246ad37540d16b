package picture

import "math"

// Resize gives a picture another size. Enlarging is bilinear; shrinking takes
// weighted means over all pixels, so that nothing is skipped.
func (p Picture) Resize(height, width int) Picture {
	across := taps(p.Width, width)
	wide := Picture{Channels: p.Channels, Height: p.Height, Width: width, Pixels: make([]float32, p.Channels*p.Height*width)}
	for row := range p.Channels * p.Height {
		src, dst := p.Pixels[row*p.Width:], wide.Pixels[row*width:]
		for x, t := range across {
			var sum float64
			for k, weight := range t.weights {
				sum += weight * float64(src[t.first+k])
			}
			dst[x] = float32(sum)
		}
	}
	down := taps(p.Height, height)
	out := Picture{Channels: p.Channels, Height: height, Width: width, Pixels: make([]float32, p.Channels*height*width)}
	for c := range p.Channels {
		src, dst := wide.Pixels[c*p.Height*width:], out.Pixels[c*height*width:]
		for y, t := range down {
			for x := range width {
				var sum float64
				for k, weight := range t.weights {
					sum += weight * float64(src[(t.first+k)*width+x])
				}
				dst[y*width+x] = float32(sum)
			}
		}
	}
	return out
}

// tap is the weighted mean that makes one new pixel of old ones.
type tap struct {
	first   int
	weights []float64
}

// taps are the means along one side. Their weights are a triangle over the centre
// of the new pixel, as wide as two pixels of the coarser grid.
func taps(from, to int) []tap {
	scale := float64(from) / float64(to)
	reach := max(scale, 1)
	list := make([]tap, to)
	for i := range list {
		centre := (float64(i)+0.5)*scale - 0.5
		first, last := max(int(math.Ceil(centre-reach)), 0), min(int(math.Floor(centre+reach)), from-1)
		t := tap{first: first}
		var sum float64
		for k := first; k <= last; k++ {
			weight := max(1-math.Abs(float64(k)-centre)/reach, 0)
			t.weights = append(t.weights, weight)
			sum += weight
		}
		for k := range t.weights {
			t.weights[k] /= sum
		}
		list[i] = t
	}
	return list
}
