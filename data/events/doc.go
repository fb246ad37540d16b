// Package events reads recordings of event cameras and makes stacks of them,
// which a network takes one time step each.
//
// An event camera reports, pixel by pixel and at once, that the logarithm of the
// brightness has risen (ON) or fallen (OFF) by a threshold. A recording is a list
// of such events, each with column x, row y, time t in microseconds and polarity.
//
//	r, err := events.Open("60001.bin", events.Options{Width: 34, Height: 34})
//	s := events.Stacks{Steps: 10, Slice: events.ByTime, Kind: events.Binary, Size: 32}
//	channels, height, width := s.Shape(r.Width, r.Height) // of one step: 2, 32, 32
//	planes := make([]byte, s.Steps*channels*height*width)
//	err = s.Make(planes, r)
//
// [Open] knows a format by the end of the file's name:
//
//	.bin .bs2   40-bit address events of N-MNIST and N-Caltech101
//	.npy        arrays of rows x,y,t,p or t,x,y,p, and records with these names
//	.aedat      AEDAT 2.0 of the DVS128, as CIFAR10-DVS has it
//	.dat        Prophesee's and N-CARS's 64-bit events
//	.raw        Prophesee's EVT 2.0 and EVT 3.0
//	.txt        lines "t x y p"
//
// What cannot be a recording is an error that wraps [ErrFormat]. What can be put
// right is put right and counted in [Recording].Problems: times out of order,
// counters of time that wrapped, events beside the sensor.
//
// [Saccade] makes recordings of images, as N-MNIST was made of MNIST.
package events
