package data

// Timed is a [Dataset] whose images are stacks of time steps, another picture
// each: [Dataset.Shape] counts the channels of all steps, those of the first step
// first. Crop, flip and cutout of an [Augment] are then the same at all steps.
type Timed interface {
	Dataset
	// Steps is the number of time steps T.
	Steps() int
	// Levels are the values that the bytes of an image stand for.
	Levels() *[256]float32
}

// AsTimed is ds, or the set of which ds is a subset, as a [Timed]; false where its
// images are pictures.
func AsTimed(ds Dataset) (Timed, bool) {
	if view, ok := ds.(*subset); ok {
		ds = view.Dataset
	}
	t, ok := ds.(Timed)
	return t, ok
}
