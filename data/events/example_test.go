package events_test

import (
	"fmt"
	"log"

	"github.com/spikedhs/spikedhs/data/events"
)

// A bright square of 8 x 8 pixels moves before the camera; what the camera saw is
// cut into three steps, one for each saccade.
func Example() {
	pixels := make([]byte, 16*16)
	for y := 4; y < 12; y++ {
		for x := 4; x < 12; x++ {
			pixels[16*y+x] = 255
		}
	}
	list, err := events.NMNISTSaccade().Record(pixels, 16, 16)
	if err != nil {
		log.Fatal(err)
	}
	content, err := events.EncodeAER(list)
	if err != nil {
		log.Fatal(err)
	}
	r, err := events.Decode("square.bin", content, events.Options{Width: 34, Height: 34})
	if err != nil {
		log.Fatal(err)
	}
	s := events.Stacks{Steps: 3, Kind: events.Binary, Size: 32}
	c, h, w := s.Shape(r.Width, r.Height)
	planes := make([]byte, s.Steps*c*h*w)
	if err := s.Make(planes, r); err != nil {
		log.Fatal(err)
	}
	on := 0
	for _, e := range r.Events {
		if e.P > 0 {
			on++
		}
	}
	fmt.Println("half of the events are ON:", 2*on == len(r.Events))
	fmt.Println(s.Steps, "steps of", c, "x", h, "x", w)
	// Output:
	// half of the events are ON: true
	// 3 steps of 2 x 32 x 32
}
