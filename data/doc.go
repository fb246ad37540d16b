// Package data brings labelled images to a network: it reads MNIST, Fashion-MNIST, CIFAR-10,
// CIFAR-100 and folders of image files such as ImageNet's, augments them and serves them in
// batches that are prepared in the background.
//
// [Open] reads a split of a published data set, [Fetch] downloads one first, [NewMemory] wraps
// pixels of your own. All give a [Dataset], and [Take], [Halves] and [Subset] choose images:
//
//	train, err := data.Open(ctx, "cifar10", "", data.Train)
//	weights, alphas := data.Halves(train, seed) // for bi-level search
//
// [OpenEvents] makes stacks of time steps of recordings of event cameras (see package events),
// a [Timed] set, and [WriteSaccades] makes recordings of images. An [Augment] says how the
// 8-bit pixels become the float32 input of a network, and a [Loader] does it:
//
//	mean, std, err := data.Normalization("cifar10")
//	loader, err := data.NewLoader(weights, data.LoaderOptions{
//		Batch: 50, Seed: seed, Shuffle: true,
//		Augment: data.Augment{CropPadding: 4, Flip: true, Cutout: 16, Mean: mean, Std: std},
//	})
//	batches := loader.Epoch(ctx, epoch, 0)
//	defer batches.Close()
//	batch, err := batches.Next() // io.EOF behind the last
//	// ... batch.Inputs[0], batch.Labels ...
//	batch.Release()
//
// Image files are not read into memory: an [ImageFolder] is a [Cropper], whose pictures are
// decoded when a batch needs them, by all workers. Files that cannot be read are warned of and
// left out; [CorruptOf] counts them.
//
// One seed gives one run: a batch depends on the seed, the epoch and its number alone, also in
// a run that is resumed. Pixels and planes are always in the order channel, row, column.
package data
