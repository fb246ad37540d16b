//go:build fakedevice

package bench

// budgets are the steps whose launches are counted. `before` is what they launched when
// steps first ran on the fake device (commit 9ee0cbf), by the same table, and `fewer` the
// share that must be gone since.
var budgets = []budget{
	{"train, n = 3, F = 48, bfloat16", images(Train, 3, 48, "bfloat16"), 1226, 0.35, 0},
	{"train, n = 3, F = 48, float32", images(Train, 3, 48, "float32"), 1092, 0.35, 0},
	{"search, n = 4, F = 16, bfloat16", images(Search, 4, 16, "bfloat16"), 4469, 0.45, 0},
	{"search, n = 4, F = 16, float32", images(Search, 4, 16, "float32"), 4054, 0.45, 0},
	{"stereo-train, 200 x 280, bfloat16", stereoFull(StereoTrain, "bfloat16"), 3261, 0.60, 0},
	{"stereo-train, 200 x 280, float32", stereoFull(StereoTrain, "float32"), 3140, 0.60, 0},
	{"stereo-search, bfloat16", stereoFull(StereoSearch, "bfloat16"), 24204, 0.60, 0},
	{"stereo-search, float32", stereoFull(StereoSearch, "float32"), 22914, 0.60, 0},
	{"stereo-stream, 260 x 346, bfloat16", stereoFull(StereoStream, "bfloat16"), 209, 0.40, 1},
	{"stereo-stream, 260 x 346, float32", stereoFull(StereoStream, "float32"), 207, 0.40, 1},
}
