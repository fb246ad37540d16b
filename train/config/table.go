package config

// Where defaults come from.
const (
	paper    = "paper 4.1.1"
	released = "released script"
	ours     = "this project"
)

// keys is the table of every key: the one place for meaning, unit, source and rule.
var keys = []Key{
	{"run.name", "Name of the run in reports", "", ours, oneLine},
	{"run.seed", "Seed of every random number of the run", "", ours, atLeast(0)},
	{"run.device", "Device to compute on; auto takes CUDA where there is one", "", ours, device},
	{"run.precision", "Type of the convolutions; auto takes bfloat16 where it is fast", "", ours, oneOf("auto", "float32", "bfloat16")},
	{"run.graphs", "Record the steps as CUDA graphs; auto does so on CUDA devices where it works", "", ours, oneOf("auto", "off")},
	{"run.recompute", "Keep only the inputs of each cell for the backward pass and compute its inside again: less memory, more time; CPU only", "", ours, rule{}},
	{"run.threads", "Threads libtorch computes with, 0 for all cores", "threads", ours, atLeast(0)},

	{"data.name", "Data set", "", ours, oneOf("fashion-mnist", "mnist", "cifar10", "cifar100")},
	{"data.path", "Folder that holds the data set, empty for the place where it is fetched to", "", ours, oneLine},
	{"data.train_images", "Training images, a seeded subset, 0 for all", "images", ours, atLeast(0)},
	{"data.test_images", "Test images, a seeded subset, 0 for all", "images", ours, atLeast(0)},
	{"data.pad", "Border of zeros on each side of an image; 2 makes 28x28 into 32x32", "pixels", ours, between(0, 128)},
	{"data.workers", "Loader goroutines, 0 for one a core", "goroutines", ours, atLeast(0)},
	{"data.prefetch", "Batches prepared ahead", "batches", ours, atLeast(1)},
	{"data.resident", "Keep the training images on the device; auto does so on CUDA devices where they fit", "", ours, oneOf("auto", "on", "off")},

	{"network.nodes", "Nodes in a cell", "nodes", "paper 4.1.1, n3", between(1, 16)},
	{"network.levels", "Resolution of each cell: level l has 1/2^l of the side and 2^l times the width", "", released, ascendingLevels},
	{"network.steps", "Time steps T an image is shown for", "time steps", "paper 4.1.2", atLeast(1)},
	{"network.tau", "Share of the membrane that is left after one step; 0 gives the binary neuron", "", "paper, equation 1", between(0, 1)},
	{"network.threshold", "Membrane above which a neuron fires", "", "paper, equation 1", positive},
	{"network.temperature", "Sharpness b of the Dspike surrogate gradient of nodes and stem", "", paper, positive},
	{"network.downsample", "How the side halves: reduction cells with their own genotype, or one genotype behind a nearest resize", "", "paper 3.2.2", oneOf("reduction", "nearest")},
	{"network.head", "Way to the logits: a spiking neuron or the mean rate before the linear layer", "", ours, oneOf("lif", "rate")},
	{"network.bn", "Batch normalisation: statistics over all steps folded into the batch, or of each step alone", "", ours, oneOf("folded", "per-step")},

	{"search.epochs", "Length of the search", "epochs", paper, atLeast(1)},
	{"search.warmup_epochs", "First epochs, which train the weights alone", "epochs", paper, atLeast(0)},
	{"search.batch", "Batch size of the search", "images", paper, atLeast(1)},
	{"search.width", "Width F of a node at level 0 of the supernet", "channels", released, atLeast(1)},
	{"search.steps", "Time steps of the supernet, 0 for network.steps", "time steps", ours, atLeast(0)},
	{"search.images", "Training images used, split in halves A (weights) and B (alpha), 0 for all", "images", paper, atLeast(0)},
	{"search.mixing", "Where the candidate operations are mixed: their spikes, or the current into the membrane", "", "paper 3.2.1", oneOf("spike", "membrane")},
	{"search.stem", "Activation of the stem of the supernet", "", "paper 3.2.2", oneOf("relu", "dspike")},
	{"search.lr", "Learning rate of the weights at the start of its cosine", "", paper, positive},
	{"search.lr_min", "Learning rate of the weights at the end of its cosine", "", ours, atLeast(0)},
	{"search.momentum", "Momentum of the SGD of the weights", "", paper, fraction},
	{"search.weight_decay", "Weight decay of the weights", "", released, atLeast(0)},
	{"search.clip", "Norm that gradients of the weights are clipped to, 0 for none", "", released, atLeast(0)},
	{"search.alpha_lr", "Adam learning rate of the architecture", "", released, positive},
	{"search.alpha_beta1", "First Adam beta of the architecture", "", released, fraction},
	{"search.alpha_beta2", "Second Adam beta of the architecture", "", released, fraction},
	{"search.alpha_weight_decay", "Weight decay of the architecture", "", released, atLeast(0)},
	{"search.alpha_init", "Standard deviation of the initial architecture parameters", "", released, atLeast(0)},
	{"search.skip_limit", "Share of skips in the decoded genotype above which the search stops early, 0 for never", "", ours, between(0, 1)},
	{"search.checkpoint_minutes", "Time between checkpoints, 0 for the ends of epochs only", "minutes", ours, atLeast(0)},

	{"train.genotype", "Genotype to train, a file or the name of a preset; empty for the one found by the run's own search", "", ours, oneLine},
	{"train.width", "Width F of a node at level 0", "channels", released, atLeast(1)},
	{"train.mixing", "Where the operations of a node meet: their spikes, or the current into the membrane", "", "paper 3.2.1", oneOf("spike", "membrane")},
	{"train.epochs", "Length of the training", "epochs", paper, atLeast(1)},
	{"train.batch", "Batch size of the training", "images", paper, atLeast(1)},
	{"train.lr", "Learning rate at the start of its cosine", "", paper, positive},
	{"train.lr_min", "Learning rate at the end of its cosine", "", released, atLeast(0)},
	{"train.momentum", "Momentum of SGD", "", paper, fraction},
	{"train.weight_decay", "Weight decay of SGD", "", paper, atLeast(0)},
	{"train.clip", "Norm that gradients are clipped to, 0 for none", "", released, atLeast(0)},
	{"train.auxiliary_weight", "Weight of the auxiliary head's loss, 0 for no such head", "", released, atLeast(0)},
	{"train.crop_padding", "Border of zeros before a random crop back to the image's size, 0 for no crop", "pixels", released, between(0, 128)},
	{"train.flip", "Mirror every other image at random", "", released, rule{}},
	{"train.cutout", "Side of the square that is blanked at random, 0 for none", "pixels", released, atLeast(0)},
	{"train.eval_every", "Time between evaluations", "epochs", ours, atLeast(1)},
	{"train.checkpoint_minutes", "Time between checkpoints, 0 for the ends of epochs only", "minutes", ours, atLeast(0)},

	{"dgs.layers", "Layers whose surrogate is searched, by name or pattern, such as stem0, cell5.node0, cell5 or *; auto chooses anew at each search; empty for none", "", ours, layerList},
	{"dgs.auto_layers", "Layers that auto chooses: those with the most neurons whose surrogate is nearly 0", "layers", ours, atLeast(1)},
	{"dgs.watch", "Layers whose gradient, support and firing rate are recorded each epoch, beside those searched; by name or pattern", "", ours, layerList},
	{"dgs.candidates", "Candidates N of a layer, an odd number", "candidates", paper, oddFromThree},
	{"dgs.delta", "Distance of neighbouring candidates' temperatures", "", paper, positive},
	{"dgs.iterations", "Iterations I_g of a search, one training batch each", "iterations", paper, atLeast(1)},
	{"dgs.every", "Epochs e_D from one search to the next", "epochs", paper, atLeast(1)},
	{"dgs.first", "Epochs before the first search, 0 for dgs.every", "epochs", ours, atLeast(0)},
	{"dgs.epsilon", "Value that every alpha starts an iteration with", "", paper, number("any number", func(float64) bool { return true })},
	{"dgs.alpha_lr", "Adam learning rate of alpha", "", released, positive},
	{"dgs.min", "Lowest temperature that is chosen", "", released, positive},
	{"dgs.max", "Highest temperature that is chosen", "", released, positive},
	{"dgs.estimate", "Way to the candidates' weights: a pass through the network for each, or one for all and a pass through the layer for each, with equal results; auto takes the second where it applies", "", ours, oneOf("auto", "repeat", "direct")},

	{"eval.batch", "Batch size of the evaluation; it changes the speed, not the result", "images", ours, atLeast(1)},
	{"eval.precision", "Type of the convolutions; auto takes float32", "", ours, oneOf("auto", "float32", "bfloat16")},
}
