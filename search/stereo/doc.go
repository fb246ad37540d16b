// Package stereo is SpikeDHS-Stereo: dense disparity from the events of two
// cameras (section 4.2 of the paper).
//
// A feature network works on each view by itself, with shared weights. Its
// spikes of both views are put side by side at every candidate disparity, the
// feature volume, and a matching network over disparity, height and width turns
// that into a matching cost (section 3.2.2):
//
//	left, right [T*N, 5, H, W]
//	  -> feature network, 2-D: stems, cells along a path, spiking 1x1   level 0 = 1/3
//	  -> FeatureVolume          [T*N, 2C, D, H/3, W/3]   D = MaxDisparity/3
//	  -> matching network, 3-D: stems, cells along a path, tail
//	  -> cost                   [T*N, bins, H, W]        bin j is 2j px
//	  -> Estimate               [T*N, H, W]              disparity in pixels
//
// Cells are those of package search. Their levels come from a path through the
// trellis (package trellis): level s has 1/(3*2^s) of the input's resolution and
// nodes of f*2^s channels. Between cells of different level, nearest
// interpolation keeps spikes binary. The cost alone is real-valued; larger is
// better.
//
// Symbols: T time steps (stacks of events), N sequences, C channels, f width
// ([Options].Width), D planes of the volume, d disparity in pixels. Time is
// folded into the batch, slowest; depth is folded in as well, fastest:
// [T*N*D, C, H, W]. Both views are one batch of 2N, so each has membranes of its
// own. By default every time step has its own batch statistics.
//
// [NewSupernet] is searched and [Supernet.Decode] gives a genotype. [NewNetwork] builds and
// trains that. For a stream the same network is called with the membranes of the step
// before ([search.Membranes]), as in the example.
package stereo
