// Package synth makes recordings of two event cameras in scenes whose disparity is
// known exactly.
//
// A [Scene] is a few textured planes and a moving rig of two rectified pinhole cameras.
// [Scene.Trace] follows the ray of a pixel, so that intensity, depth, disparity and
// occlusion are exact at any, also fractional, pixel. A [Camera] turns the intensity of
// a pixel over time into events. [Generate] writes many scenes as a data set of package
// stereo:
//
//	o, err := synth.Preset("small")
//	o.Scenes, o.Seed = 20, 1
//	err = synth.Generate(ctx, "scenes", o)
//	set, err := stereo.Open("scenes", stereo.Options{})
//
// The event model follows ESIM (Rebecq et al. 2018), with threshold noise, refractory
// time and, as in v2e (Hu et al. 2021), thresholds that differ from pixel to pixel and
// noise events. A seed fixes every bit of a scene, for any number of cores.
package synth
