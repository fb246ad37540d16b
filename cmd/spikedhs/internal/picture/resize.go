package picture

import "math"

// Resize gives a picture another size. Enlarging is bilinear; shrinking takes
// weighted means over all pixels, so that nothing is skipped.
func (p Picture) Resize(height, width int) Picture {
	wide := resample(p.Pixels, p.Channels*p.Height, p.Width, width, 1)
	return Picture{p.Channels, height, width, resample(wide, p.Channels, p.Height, height, width)}
}

// resample makes [outer, to, inner] of src [outer, from, inner].
func resample(src []float32, outer, from, to, inner int) []float32 {
	list := taps(from, to)
	out := make([]float32, 0, outer*to*inner)
	for o := range outer {
		for _, t := range list {
			for i := range inner {
				var sum float64
				for k, weight := range t.weights {
					sum += weight * float64(src[(o*from+t.first+k)*inner+i])
				}
				out = append(out, float32(sum))
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
