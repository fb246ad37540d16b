package data

// imageNetClasses is the number of classes of ILSVRC 2012.
const imageNetClasses = 1000

// Shape is the shape of the images of a data set and the number of its classes,
// as published: nothing is opened. It knows [Names] and "imagenet", whose images
// are cut to 224x224; another name fails with [ErrUnknown].
func Shape(name string) (channels, height, width, classes int, err error) {
	if name == "imagenet" {
		return 3, 224, 224, imageNetClasses, nil
	}
	src, err := lookup(name)
	if err != nil {
		return 0, 0, 0, 0, err
	}
	switch src.format.(type) {
	case mnistFormat:
		channels, height, width = 1, 28, 28
	default:
		channels, height, width = 3, 32, 32
	}
	return channels, height, width, len(src.classes), nil
}
