// Package stereo holds what training and scoring a stereo network needs beside
// the network itself (package search/stereo): the loss and the metrics.
//
// [Loss] is the sub-pixel cross entropy of the cost with a Laplace distribution
// around the true disparity (section 3.3, eq. 6). [Meter] gathers the four
// metrics of event-based stereo on MVSEC, frame by frame.
//
//	cost := net.Forward(pass, left, right)             // [T*N, bins, H, W]
//	loss := stereo.Loss(s, cost, disparities, 1)       // [T*N, H, W], invalid: +Inf
//	...
//	meter := stereo.Meter{FocalBaseline: 19.941772}   // of MVSEC's indoor_flying
//	meter.Add(prediction, truth)                       // one frame
//	fmt.Println(meter.Result().OnePixelAccuracy)
package stereo
