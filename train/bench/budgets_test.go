//go:build fakedevice

package bench

// budgets are the steps whose launches are counted.
var budgets = []budget{
	{"train, n = 3, F = 48, bfloat16", images(Train, 3, 48, "bfloat16"), 1 << 20, 0},
	{"train, n = 3, F = 48, float32", images(Train, 3, 48, "float32"), 1 << 20, 0},
	{"search, n = 4, F = 16, bfloat16", images(Search, 4, 16, "bfloat16"), 1 << 20, 0},
	{"search, n = 4, F = 16, float32", images(Search, 4, 16, "float32"), 1 << 20, 0},
	{"stereo-train, 200 x 280, bfloat16", stereoFull(StereoTrain, "bfloat16"), 1 << 20, 0},
	{"stereo-train, 200 x 280, float32", stereoFull(StereoTrain, "float32"), 1 << 20, 0},
	{"stereo-search, bfloat16", stereoFull(StereoSearch, "bfloat16"), 1 << 20, 0},
	{"stereo-search, float32", stereoFull(StereoSearch, "float32"), 1 << 20, 0},
	{"stereo-stream, 260 x 346, bfloat16", stereoFull(StereoStream, "bfloat16"), 1 << 20, 1},
	{"stereo-stream, 260 x 346, float32", stereoFull(StereoStream, "float32"), 1 << 20, 1},
}
