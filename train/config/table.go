package config

import (
	"slices"

	"github.com/spikedhs/spikedhs/search/genotype"
)

// Where defaults come from.
const (
	paper    = "paper 4.1.1"
	released = "released script"
	logs     = "released logs"
	ours     = "this project"
)

// keys is the table of every key: the one place for meaning, unit, source, default and rule.
var keys = slices.Concat([]Key{
	{"run.name", "Name of the run in reports", "", ours, "", oneLine},
	{"run.seed", "Seed of every random number of the run", "", ours, 1, atLeast(0)},
	{"run.device", "Device to compute on; auto takes CUDA where there is one", "", ours, "auto", device},
	{"run.precision", "Type of the convolutions; auto takes bfloat16 where it is fast, and float16 on GPUs of compute capability 7; float16 is for CUDA devices", "", ours, "auto", oneOf("auto", "float32", "bfloat16", "float16")},
	{"run.graphs", "Record the steps as CUDA graphs; auto does so on CUDA devices where it works", "", ours, "off", oneOf("auto", "off")},
	{"run.recompute", "Keep only the inputs of each cell for the backward pass and compute its inside again: less memory, more time", "", ours, false, rule{}},
	{"run.cudnn_benchmark", "Let cuDNN try its algorithms at the first convolution of each shape and keep the fastest; deterministic runs take its first choice", "", ours, true, rule{}},
	{"run.tf32", "Compute float32 with 10 bits of mantissa on GPUs from compute capability 8 on: convolutions and matrix products; auto is libtorch's own, convolutions alone", "", ours, "auto", oneOf("auto", "on", "off")},
	{"run.deterministic", "Take only kernels that give the same bits each time; an operator without one ends the run with its name", "", ours, false, rule{}},
	{"run.threads", "Threads libtorch computes with, 0 for all cores", "threads", ours, 0, atLeast(0)},

	{"data.name", "Data set", "", ours, "fashion-mnist", dataSet},
	{"data.path", "Folder that holds the data set, empty for the place where it is fetched to", "", ours, "", oneLine},
	{"data.size", "Side of the square crops of image folders and of the pictures of event stacks, 0 for 224 and the sensor's own; other sets have a size of their own", "pixels", ours, 0, between(0, 4096)},
	{"data.max_corrupt", "Share of the files of imagenet and image-folder that may be unreadable; more of them end the run", "", ours, 0.01, between(0, 1)},
	{"data.mean", "Mean of each channel on the scale 0..1, empty for the data set's own", "", ours, []float64{}, each("numbers from 0 to 1", func(x float64) bool { return x >= 0 && x <= 1 })},
	{"data.std", "Standard deviation of each channel on the scale 0..1, empty for the data set's own", "", ours, []float64{}, each("numbers above 0 and up to 1", func(x float64) bool { return x > 0 && x <= 1 })},
	{"data.train_images", "Training images, a seeded subset, 0 for all", "images", ours, 0, atLeast(0)},
	{"data.test_images", "Test images, a seeded subset, 0 for all", "images", ours, 0, atLeast(0)},
	{"data.validation_images", "Training images, a seeded subset, that are put aside: the network is chosen on them and tested once, in the end; 0 for none", "images", ours, 0, atLeast(0)},
	{"data.pad", "Border of zeros on each side of an image; 2 makes 28x28 into 32x32", "pixels", ours, 0, between(0, 128)},
	{"data.workers", "Loader goroutines, 0 for one a core", "goroutines", ours, 0, atLeast(0)},
	{"data.prefetch", "Batches prepared ahead", "batches", ours, 4, atLeast(1)},
	{"data.events", "Way to cut a recording of events into time steps: equal durations, or equal numbers of events", "", ours, "time", oneOf("time", "count")},
	{"data.stack", "What a time step holds of the events: ones for ON and OFF, their numbers, or the sign of ON less OFF in one channel", "", ours, "binary", oneOf("binary", "counts", "ternary")},
	{"data.sensor", "Width and height of the event sensor, empty for those of the data set or its files", "pixels", ours, []int{}, pair("width, height", 1<<16)},
	{"data.columns", "Order of the columns in .npy and .txt recordings; auto finds it out", "", ours, "auto", oneOf("auto", "xytp", "txyp")},
	{"data.resident", "Keep the training images on the device; auto does so on CUDA devices where they fit", "", ours, "auto", oneOf("auto", "on", "off")},

	{"network.nodes", "Nodes in a cell", "nodes", "paper 4.1.1, n3", 3, between(1, 16)},
	{"network.levels", "Resolution of each cell: level l has 1/2^l of the side and 2^l times the width; a genotype with a path of its own replaces it", "", released, []int{0, 0, 1, 1, 1, 2, 2, 2}, levelList},
	{"network.steps", "Time steps T an image is shown for", "time steps", "paper 4.1.2", 6, atLeast(1)},
	{"network.tau", "Share of the membrane that is left after one step; 0 gives the binary neuron", "", "paper, equation 1", 0.2, between(0, 1)},
	{"network.threshold", "Membrane above which a neuron fires", "", "paper, equation 1", 0.5, positive},
	{"network.temperature", "Sharpness b of the surrogate gradient of nodes and stem", "", paper, 3, positive},
	{"network.surrogate", "Family of the surrogate gradients, for the backward pass only", "", "paper 3.1", "dspike", surrogate},
	{"network.activation", "What the neurons are: spiking ones, or the rectifiers of the ANN of the same architecture, which runs one step", "", "paper 4.1.2", "lif", oneOf("lif", "relu")},
	{"network.stem_strides", "Stride of each layer of the stem, so their number too; each layer has half the width of the next", "", released, []int{1}, strides},
	{"network.downsample", "How the side halves: reduction cells with their own genotype, or one genotype behind a nearest resize", "", "paper 3.2.2", "reduction", oneOf("reduction", "nearest")},
	{"network.head", "Way to the logits: a spiking neuron or the mean rate before the linear layer", "", ours, "rate", oneOf("lif", "rate")},
	{"network.bn", "Batch normalisation: statistics over all steps folded into the batch, or of each step alone", "", ours, "folded", oneOf("folded", "per-step")},
}, learning("search", 0), []Key{
	{"search.warmup_epochs", "First epochs, which train the weights alone", "epochs", paper, 15, atLeast(0)},
	{"search.steps", "Time steps of the supernet, 0 for network.steps", "time steps", ours, 0, atLeast(0)},
	{"search.images", "Training images used, split in halves A (weights) and B (alpha), 0 for all", "images", paper, 0, atLeast(0)},
	{"search.layer_search", "Search a level for each cell along with the cells: as many cells as network.levels has; needs network.downsample = nearest; a task of paths always does", "", ours, false, rule{}},
	{"search.trellis_levels", "Levels of a search of layers, the finest first", "levels", "paper 3.2.2", 4, between(1, 4)},
	{"search.operations", "Candidate operations of the search, by name; more may be registered", "", "paper 3.2.1", genotype.OpNames(), operationList},
	{"search.stem", "Activation of the stem of the supernet", "", "paper 3.2.2", "relu", oneOf("relu", "dspike")},
	{"search.alpha_lr", "Adam learning rate of the architecture", "", released, 0.001, positive},
	{"search.alpha_beta1", "First Adam beta of the architecture", "", released, 0.9, fraction},
	{"search.alpha_beta2", "Second Adam beta of the architecture", "", released, 0.999, fraction},
	{"search.alpha_weight_decay", "Weight decay of the architecture", "", released, 0.001, atLeast(0)},
	{"search.alpha_init", "Standard deviation of the initial architecture parameters", "", released, 0.001, atLeast(0)},
	{"search.skip_limit", "Share of skips in the decoded genotype above which the search stops early, 0 for never", "", ours, 0, between(0, 1)},
}, learning("train", 1), []Key{
	{"train.genotype", "Genotype to train, a file or the name of a preset; empty for the one found by the run's own search", "", ours, "", oneLine},
	{"train.auxiliary_weight", "Weight of the auxiliary head's loss, 0 for no such head", "", released, 0.4, atLeast(0)},
	{"train.crop_padding", "Border of zeros before a random crop back to the image's size, 0 for no crop", "pixels", released, 4, between(0, 128)},
	{"train.crop_min_area", "Smallest share of a picture's area in a random resized crop of imagenet and image-folder, which takes the place of train.crop_padding there; 0 for the centre crop", "", "Szegedy et al. 2015", 0.08, between(0, 1)},
	{"train.flip", "Mirror every other image at random", "", released, true, rule{}},
	{"train.cutout", "Side of the square that is blanked at random, 0 for none", "pixels", released, 16, atLeast(0)},
	{"train.eval_every", "Time between evaluations", "epochs", ours, 1, atLeast(1)},

	{"dgs.layers", "Layers whose surrogate is searched, by name or pattern, such as stem0, cell5.node0, cell5 or *; auto chooses anew at each search; empty for none", "", ours, []string{}, layerList},
	{"dgs.auto_layers", "Layers that auto chooses: those with the most neurons whose surrogate is nearly 0", "layers", ours, 1, atLeast(1)},
	{"dgs.watch", "Layers whose gradient, support and firing rate are recorded each epoch, beside those searched; by name or pattern", "", ours, []string{}, layerList},
	{"dgs.candidates", "Candidates N of a layer, an odd number", "candidates", paper, 5, oddFromThree},
	{"dgs.delta", "Distance of neighbouring candidates' temperatures", "", paper, 0.2, positive},
	{"dgs.iterations", "Iterations I_g of a search, one training batch each", "iterations", paper, 100, atLeast(1)},
	{"dgs.every", "Epochs e_D from one search to the next", "epochs", paper, 5, atLeast(1)},
	{"dgs.first", "Epochs before the first search, 0 for dgs.every", "epochs", ours, 0, atLeast(0)},
	{"dgs.epsilon", "Value that every alpha starts an iteration with", "", paper, 0.001, number("any number", func(float64) bool { return true })},
	{"dgs.alpha_lr", "Adam learning rate of alpha", "", released, 0.01, positive},
	{"dgs.min", "Lowest temperature that is chosen", "", released, 1, positive},
	{"dgs.max", "Highest temperature that is chosen", "", released, 6, positive},
	{"dgs.estimate", "Way to the candidates' weights: a pass through the network for each, or one for all and a pass through the layer for each, with equal results; auto takes the second where it applies", "", ours, "auto", oneOf("auto", "repeat", "direct")},

	{"eval.batch", "Batch size of the evaluation; it changes the speed, not the result", "images", ours, 100, atLeast(1)},
	{"eval.count_images", "Test images whose spikes are counted for sparsity and energy; 0 for all where they are bits anyway, else 500", "images", ours, 0, atLeast(0)},
	{"eval.precision", "Type of the convolutions; auto takes bfloat16 on processors with AMX after training in it, else float32; float16 is for CUDA devices", "", ours, "auto", oneOf("auto", "float32", "bfloat16", "float16")},
})
