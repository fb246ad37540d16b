package data

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data/internal/random"
)

// choices are the random decisions for one image.
type choices struct {
	dy, dx   int // corner of the crop window in the padded image
	flip     bool
	row, col int // centre of the cutout
}

// script is a rand.Source that makes below return chosen numbers.
type script struct{ draws []uint64 }

func (s *script) Uint64() uint64 {
	next := s.draws[0]
	s.draws = s.draws[1:]
	return next
}

// will makes the next random.Below(n) return k.
func (s *script) will(k, n int) {
	quotient, _ := bits.Div64(uint64(k), 0, uint64(n))
	if k > 0 {
		quotient++
	}
	s.draws = append(s.draws, quotient)
}

// scriptOf lets Apply make the given choices, in its documented order.
func scriptOf(a Augment, c choices, h, w int) *script {
	s := &script{}
	if a.CropPadding > 0 {
		s.will(c.dy, 2*a.CropPadding+1)
		s.will(c.dx, 2*a.CropPadding+1)
	}
	if a.Flip {
		s.will(map[bool]int{true: 1}[c.flip], 2)
	}
	if a.Cutout > 0 {
		s.will(c.row, h)
		s.will(c.col, w)
	}
	return s
}

// slowAugment follows the definition of Augment step by step, in float64 and
// with a new image for each step.
func slowAugment(a Augment, c choices, src []byte, channels, h, w int) []float64 {
	var out []float64
	for ch := range channels {
		image := make([][]float64, h)
		for y := range image {
			image[y] = make([]float64, w)
			for x := range image[y] {
				image[y][x] = float64(src[(ch*h+y)*w+x]) / 255
			}
		}
		image = surround(image, a.Pad)
		height, width := len(image), len(image[0])
		if a.CropPadding > 0 {
			image = surround(image, a.CropPadding)[c.dy : c.dy+height]
			for y := range image {
				image[y] = image[y][c.dx : c.dx+width]
			}
		}
		for y := range height {
			for x := range width {
				v := image[y][x]
				if c.flip {
					v = image[y][width-1-x]
				}
				if a.Mean != nil {
					v = (v - float64(a.Mean[ch])) / float64(a.Std[ch])
				}
				up, back := c.row-a.Cutout/2, c.col-a.Cutout/2
				if y >= up && y < up+a.Cutout && x >= back && x < back+a.Cutout {
					v = 0
				}
				out = append(out, v)
			}
		}
	}
	return out
}

// surround puts a frame of zeros around an image.
func surround(image [][]float64, by int) [][]float64 {
	h, w := len(image), len(image[0])
	out := make([][]float64, h+2*by)
	for y := range out {
		out[y] = make([]float64, w+2*by)
		if y >= by && y < by+h {
			copy(out[y][by:], image[y-by])
		}
	}
	return out
}

// requireClose compares all values; NaN is close to nothing.
func requireClose(t *testing.T, want []float64, got []float32) {
	t.Helper()
	require.Len(t, got, len(want))
	for i, v := range want {
		if !(math.Abs(v-float64(got[i])) < 2e-6) {
			require.InDelta(t, v, got[i], 2e-6, "value %d", i)
		}
	}
}

func TestApplyAgainstDefinition(t *testing.T) {
	mean, std := []float32{0.4914, 0.4822, 0.4465}, []float32{0.2470, 0.2435, 0.2616}
	for name, a := range map[string]Augment{
		"scale only":         {},
		"normalise":          {Mean: mean, Std: std},
		"pad":                {Pad: 2, Mean: mean, Std: std},
		"crop":               {CropPadding: 4, Mean: mean, Std: std},
		"crop beyond image":  {CropPadding: 15, Mean: mean, Std: std},
		"flip":               {Flip: true, Mean: mean, Std: std},
		"even cutout":        {Cutout: 4, Mean: mean, Std: std},
		"odd cutout":         {Cutout: 3},
		"cutout beyond all":  {Cutout: 50, Mean: mean, Std: std},
		"all at once":        {Pad: 2, CropPadding: 4, Flip: true, Cutout: 5, Mean: mean, Std: std},
		"all, crop too wide": {Pad: 1, CropPadding: 20, Flip: true, Cutout: 6, Mean: mean, Std: std},
	} {
		t.Run(name, func(t *testing.T) {
			const c, h, w = 3, 7, 9
			transform, err := a.Compile(c, h, w)
			require.NoError(t, err)
			oc, oh, ow := transform.Shape()
			require.Equal(t, []int{c, h + 2*a.Pad, w + 2*a.Pad}, []int{oc, oh, ow})
			rng := rand.New(rand.NewPCG(1, 2))
			src, dst := make([]byte, c*h*w), make([]float32, oc*oh*ow)
			for range 300 {
				for i := range src {
					src[i] = byte(rng.Uint32())
				}
				pick := choices{flip: a.Flip && rng.IntN(2) == 1, row: rng.IntN(oh), col: rng.IntN(ow)}
				pick.dy, pick.dx = rng.IntN(2*a.CropPadding+1), rng.IntN(2*a.CropPadding+1)
				for i := range dst {
					dst[i] = float32(math.NaN()) // every value must be written
				}
				source := scriptOf(a, pick, oh, ow)
				transform.Apply(dst, src, source)
				require.Empty(t, source.draws, "every draw was used")
				requireClose(t, slowAugment(a, pick, src, c, h, w), dst)
			}
		})
	}
}

// Cutout comes after the normalisation: what it erases is 0, not (0-mean)/std.
func TestCutoutIsZeroAfterNormalisation(t *testing.T) {
	a := Augment{Cutout: 2, Mean: []float32{0.5}, Std: []float32{0.25}}
	transform, err := a.Compile(1, 2, 3)
	require.NoError(t, err)
	dst := make([]float32, 6)
	transform.Apply(dst, make([]byte, 6), scriptOf(a, choices{row: 1, col: 1}, 2, 3))
	assert.Equal(t, []float32{0, 0, -2, 0, 0, -2}, dst)
}

func TestEvalIsDeterministic(t *testing.T) {
	eval := Augment{Pad: 1, Mean: []float32{0.5}, Std: []float32{0.5}}
	transform, err := eval.Compile(1, 1, 2)
	require.NoError(t, err)
	dst := make([]float32, 12)
	transform.Apply(dst, []byte{255, 0}, nil) // no source: nothing is drawn
	assert.Equal(t, []float32{-1, -1, -1, -1, -1, 1, -1, -1, -1, -1, -1, -1}, dst)
}

// The random choices must be fair. The offset and the flip are read off the
// picture: chi-squared over 7x7 offsets and 2 sides, 97 degrees of freedom.
func TestRandomChoicesAreFair(t *testing.T) {
	const side, n = 7, 98_000
	transform, err := Augment{CropPadding: 3, Flip: true}.Compile(1, side, side)
	require.NoError(t, err)
	src := make([]byte, side*side)
	copy(src[3*side+2:], []byte{64, 255, 128}) // the middle one stays in every window
	var count [2][side * side]int
	dst, rng := make([]float32, side*side), new(rand.PCG)
	for i := range n {
		random.Seed(rng, 11, random.Item, 2, i)
		transform.Apply(dst, src, rng)
		for at, v := range dst {
			if v == 1 {
				mirrored := at%side > 0 && dst[at-1] > 0.4 || at%side == 0 && dst[at+1] < 0.4
				flip := map[bool]int{true: 1}[mirrored]
				count[flip][at]++
			}
		}
	}
	sum, want := 0.0, float64(n)/(2*side*side)
	for _, side := range count {
		for _, c := range side {
			sum += (float64(c) - want) * (float64(c) - want) / want
		}
	}
	assert.Less(t, sum, 158.0, "99.99 % of fair draws stay below")
}

func TestCompileRefuses(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	one := []float32{1}
	for name, a := range map[string]Augment{
		"negative pad":    {Pad: -1},
		"negative crop":   {CropPadding: -1},
		"negative cutout": {Cutout: -1},
		"mean alone":      {Mean: one},
		"std alone":       {Std: one},
		"three for one":   {Mean: []float32{1, 1, 1}, Std: []float32{1, 1, 1}},
		"zero std":        {Mean: one, Std: []float32{0}},
		"negative std":    {Mean: one, Std: []float32{-1}},
		"nan std":         {Mean: one, Std: []float32{nan}},
		"infinite std":    {Mean: one, Std: []float32{inf}},
		"nan mean":        {Mean: []float32{nan}, Std: one},
	} {
		_, err := a.Compile(1, 2, 2)
		assert.ErrorContains(t, err, "augment: ", name)
	}
}

func TestApplyDoesNotAllocate(t *testing.T) {
	transform, err := Augment{Pad: 2, CropPadding: 4, Flip: true, Cutout: 8}.Compile(3, 32, 32)
	require.NoError(t, err)
	dst, src, rng := make([]float32, 3*36*36), make([]byte, 3*32*32), new(rand.PCG)
	assert.Zero(t, testing.AllocsPerRun(100, func() { transform.Apply(dst, src, rng) }))
}
