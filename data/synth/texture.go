package synth

import (
	"math"
	"math/rand/v2"
)

// Texture is the intensity on a plane, a function of the place (u, v) in metres: a sum
// of sinusoids in random directions and of edges along random lines, within [0.04, 0.96].
type Texture struct {
	waves []wave
	edges []edge
	gain  float64
}

// wave is amplitude * sin(2 pi (fu u + fv v + phase)).
type wave struct{ fu, fv, phase, amplitude float64 }

// edge is a step of the given height where cos u + sin v = at, sharpness per metre.
type edge struct{ cos, sin, at, sharpness, height float64 }

// newTexture draws a texture for a plane on which a pixel is about pixel metres wide
// and that is about size metres large. Wavelengths are from 4 to 40 pixels, so that
// they stay above 2 pixels where the plane is seen at an angle; an edge takes a pixel.
func newTexture(rng *rand.Rand, pixel, size float64) *Texture {
	t := &Texture{}
	var total float64
	for range 6 + rng.IntN(5) {
		length := 4 * pixel * math.Pow(10, rng.Float64())
		sin, cos := math.Sincos(2 * math.Pi * rng.Float64())
		a := 0.3 + 0.7*rng.Float64()
		t.waves = append(t.waves, wave{cos / length, sin / length, rng.Float64(), a})
		total += a * a / 2
	}
	for range 4 + rng.IntN(5) {
		sin, cos := math.Sincos(2 * math.Pi * rng.Float64())
		height := (0.5 + rng.Float64()) * (1 - 2*float64(rng.IntN(2)))
		t.edges = append(t.edges, edge{cos, sin, size * (rng.Float64() - 0.5), 1 / pixel, height})
		total += height * height / 4
	}
	t.gain = 0.5 / (2 * math.Sqrt(total)) // two standard deviations fill the range
	return t
}

// At is the intensity at (u, v).
func (t *Texture) At(u, v float64) float64 {
	var s float64
	for i := range t.waves {
		w := &t.waves[i]
		s += w.amplitude * sine(w.fu*u+w.fv*v+w.phase)
	}
	for i := range t.edges {
		e := &t.edges[i]
		s += e.height * 0.5 * min(1, max(-1, (e.cos*u+e.sin*v-e.at)*e.sharpness*2))
	}
	// A soft limit, x/(1+|x|^3)^(1/3) made cheap: odd, slope 1 at 0, 1 at infinity.
	x := t.gain * s * 2
	return 0.5 + 0.46*x/math.Sqrt(1+x*x)
}

const sineSteps = 4096

var sineTable = func() (t [sineSteps + 1]float64) {
	for i := range t {
		t[i] = math.Sin(2 * math.Pi * float64(i) / sineSteps)
	}
	return t
}()

// sine is sin(2 pi turns) between the values of a table; it is the definition of the
// textures, not an approximation that has to be exact.
func sine(turns float64) float64 {
	p := (turns - math.Floor(turns)) * sineSteps
	i := int(p)
	if uint(i) >= sineSteps { // rounding, or no number
		i = sineSteps - 1
	}
	a := sineTable[i]
	return a + (p-float64(i))*(sineTable[i+1]-a)
}
