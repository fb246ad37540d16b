package events

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Saccade is an ideal event camera before which an image moves along a triangle,
// as the camera of N-MNIST moved before a screen with MNIST (Orchard et al. 2015):
// three straight saccades, which end where they began. It has no noise and draws no
// random numbers.
//
// A pixel remembers the logarithm L = ln(I + Floor) of the brightness I (0..1) at
// its last event; where L has moved by Threshold it reports an event, and as many
// as it takes (Lichtsteiner et al. 2008).
type Saccade struct {
	// Side is the sensor's, in pixels.
	Side int
	// Corners are the places of the image's centre, from the sensor's, in pixels
	// (right, down). The image goes from each to the next, and from the last to the first.
	Corners [][2]float64
	// Microseconds is the duration of one saccade.
	Microseconds int64
	// Samples is the number of times that the brightness is looked at in a saccade.
	// Between them the logarithm is taken to move along a line.
	Samples int
	// Threshold is the change of the logarithm that an event stands for.
	Threshold float64
	// Floor is added to the brightness: light that is there in the dark.
	Floor float64
}

// NMNISTSaccade has N-MNIST's sensor of 34 x 34 pixels and three saccades of 0.1 s.
// The corners are 4 pixels apart or less, so that an image of 28 x 28 stays inside.
func NMNISTSaccade() Saccade {
	return Saccade{
		Side:         34,
		Corners:      [][2]float64{{-2, -2}, {0, 2}, {2, -2}},
		Microseconds: 100_000, Samples: 50, Threshold: 0.25, Floor: 0.1,
	}
}

func (s Saccade) check() error {
	if s.Side < 1 || s.Side > 1<<10 || len(s.Corners) == 0 || s.Microseconds < 1 || s.Samples < 1 ||
		int64(s.Samples) > s.Microseconds || !(s.Threshold > 0) || !(s.Floor > 0) {
		return fmt.Errorf("saccade: side %d, %d corners, %d us, %d samples, threshold %g, floor %g; all must be positive, and samples at most one a microsecond",
			s.Side, len(s.Corners), s.Microseconds, s.Samples, s.Threshold, s.Floor)
	}
	return nil
}

// Record is what the camera reports of an image of 8-bit pixels, rows one after
// another. Around the image it is dark. Events are in the order of time, row,
// column; a still image has none.
func (s Saccade) Record(pixels []byte, height, width int) ([]Event, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if height < 1 || width < 1 || len(pixels) != height*width {
		return nil, fmt.Errorf("saccade: %d pixels are no image of %d x %d", len(pixels), height, width)
	}
	scene := scene{pixels, height, width}
	area := s.Side * s.Side
	now, before, start := make([]float64, area), make([]float64, area), make([]float64, area)
	crossed := make([]int, area) // thresholds from start to the memory: whole numbers, so that nothing rounds away
	s.observe(now, scene, s.Corners[0])
	copy(start, now)
	var list []Event
	for leg, from := range s.Corners {
		to := s.Corners[(leg+1)%len(s.Corners)]
		if from == to {
			continue
		}
		for k := range s.Samples {
			before, now = now, before
			share := float64(k+1) / float64(s.Samples)
			s.observe(now, scene, [2]float64{from[0] + share*(to[0]-from[0]), from[1] + share*(to[1]-from[1])})
			began := float64(leg)*float64(s.Microseconds) + float64(k)/float64(s.Samples)*float64(s.Microseconds)
			lasts := float64(s.Microseconds) / float64(s.Samples)
			for i := range area {
				list = s.compare(list, i, before[i]-start[i], now[i]-start[i], &crossed[i], began, lasts)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Event) int {
		return cmp.Or(cmp.Compare(a.T, b.T), cmp.Compare(a.Y, b.Y), cmp.Compare(a.X, b.X))
	})
	return list, nil
}

// compare adds the events of a pixel whose logarithm, less that of the start, moves
// from before to now.
func (s Saccade) compare(list []Event, i int, before, now float64, crossed *int, began, lasts float64) []Event {
	for level := now / s.Threshold; math.Abs(level-float64(*crossed)) >= 1; {
		on := level > float64(*crossed)
		if on {
			*crossed++
		} else {
			*crossed--
		}
		share := 1.0
		if now != before {
			share = min(max((float64(*crossed)*s.Threshold-before)/(now-before), 0), 1)
		}
		list = append(list, At(int64(math.Round(began+share*lasts)), uint16(i%s.Side), uint16(i/s.Side), on))
	}
	return list
}

// observe is the logarithm of the brightness at each pixel, with the image's centre
// off the sensor's by shift.
func (s Saccade) observe(logarithm []float64, image scene, shift [2]float64) {
	left := (float64(s.Side)-float64(image.width))/2 + shift[0]
	top := (float64(s.Side)-float64(image.height))/2 + shift[1]
	for i := range logarithm {
		logarithm[i] = math.Log(image.at(float64(i%s.Side)-left, float64(i/s.Side)-top) + s.Floor)
	}
}

// scene is an image on a dark ground.
type scene struct {
	pixels        []byte
	height, width int
}

// at is the brightness 0..1 at a place between pixels, by bilinear interpolation.
func (m scene) at(x, y float64) float64 {
	left, top := math.Floor(x), math.Floor(y)
	right, below := x-left, y-top
	column, row := int(left), int(top)
	return (1-below)*((1-right)*m.pixel(row, column)+right*m.pixel(row, column+1)) +
		below*((1-right)*m.pixel(row+1, column)+right*m.pixel(row+1, column+1))
}

func (m scene) pixel(row, column int) float64 {
	if row < 0 || column < 0 || row >= m.height || column >= m.width {
		return 0
	}
	return float64(m.pixels[row*m.width+column]) / 255
}
