// Package stereo brings recordings of two event cameras to a network: events of both
// views, cut into stacks of 10 ms bins, and disparity as the label.
//
// A data set is a folder with one sub-folder for each sequence, in the layout that the
// DDES code (Tulyakov et al. 2019) made of MVSEC; docs/stereo.md describes it.
// Package mvsec converts MVSEC to it, package synth makes scenes in it.
//
//	set, err := stereo.Open(root, stereo.Options{})
//	parts, err := set.MVSEC(1)                   // or set.Split() for a set with splits.json
//	a, b := stereo.Halves(parts.Train, 50)       // for bi-level search
//	loader, err := stereo.NewLoader(set, a, stereo.WindowOptions{Steps: 5, CropHeight: 200, CropWidth: 280},
//		data.LoaderOptions{Batch: 2, Seed: seed, Shuffle: true})
//	batches := loader.Epoch(ctx, epoch, 0)
//	batch, err := batches.Next() // io.EOF behind the last
//	// batch.Inputs [T*N, 5, H, W], left and right, batch.Truth [T*N, H, W] ...
//
// A stack is a [bins, H, W] array of -1, 0 and +1: the sign of the sum of polarities
// that a pixel saw in a bin (Wang et al. 2019), oldest bin first. Stacks are computed
// by all cores and kept on disk and in memory. Labels are disparities in pixels; +Inf
// is no label.
//
// [Set.Stream] gives one stack after the other in the order of time. Recordings that are not
// cut into frames ([ReadRecording]) become steps of the same kind by [Recording.Steps]. One
// seed gives one run: a batch depends on the seed, the epoch and its number only.
package stereo
