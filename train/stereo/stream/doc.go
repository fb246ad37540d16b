// Package stream runs a stereo network over events as they come: membranes are put
// to rest once, and every stack of events gives one map of disparity at the cost of
// a single time step (section 4.2 of the paper).
//
// [Export] writes a network as one file that Python can step too, and [Load] reads
// it; [New] takes a network as it is. [Open] opens a data set's folder, a recording
// of two cameras or a pipe as a [Source] of steps. [Run] brings both together,
// measures, and compares with windows from rest where there is ground truth. [Window]
// computes one window alone, as evaluation does:
//
//	model, err := stream.Load("model.pt", torch.CPU())
//	defer model.Close()
//	source, err := stream.Open(ctx, "recording.npz", stream.SourceOptions{Width: 128, Height: 128})
//	defer source.Close()
//	result, err := stream.Run(ctx, model, source, stream.Options{
//		Out: func(step *stereo.Step, disparity []float32) error { ... },
//	})
//
// Memory does not grow with the length of a stream: between two steps there is one
// membrane a layer and, for the comparison, the stacks of one window.
package stream
