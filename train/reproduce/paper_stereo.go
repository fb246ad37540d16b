package reproduce

// What the paper measures on stereo and is reproduced here on classification, in words.
const (
	paperTemperatures = "The paper's own course, on the stem of the stereo network: 3, 3, 2.6, 2.2, 1.8, 1.4, 1.2, 1.0, then mostly 1.0 to 1.4."
	paperSurrogates   = "The paper compares the surrogates on event-based stereo; here they are compared on classification, with the network n3. "
	paperCourse       = "The paper draws stereo training; here it is classification. Temperature of the searched layer, gradient norm of the first stem, and accuracy, over the epochs."
	paperTask         = "The paper's columns are the one-pixel accuracy of stereo on split 1 of MVSEC, in percent (Dspike: its table 2, mixed at the membrane): another task, so that only the sign and size of the differences compare."
	paperWithout      = "paper, stereo: without"
	paperEnergy       = "The stem reads an analog image and counts as MACs, once. The paper's numbers are of its stereo network: 6.7 mJ, 26 times less than DDES."
)

// withAndWithout is a line of the paper's table 3: the one-pixel accuracy in percent
// on split 1 of MVSEC, with and without DGS.
type withAndWithout struct{ with, without float64 }

// paperFamilies is table 3 by family. The paper lists three; Dspike is the line MM of its
// table 2.
var paperFamilies = map[string]withAndWithout{
	"dspike":     {91.3, 91.0},
	"triangular": {91.3, 90.9},
	"arctan":     {90.1, 89.3},
	"superspike": {89.7, 89.6},
}

// paperStereoEnergy is that of the paper's stereo network in mJ, and paperStereo what is
// said below its table.
const (
	paperStereoEnergy = "6.7"
	paperStereo       = "The paper's numbers are of split 1 of MVSEC (tables 2 and 3, mixed at the membrane); those of made scenes compare with them in kind alone."
)
