package config

import (
	"github.com/spikedhs/spikedhs/search/genotype"
)

// Config is the whole configuration of a run. The zero value is not valid; start
// from [Default] or [Load].
//
// The tags of a key are the one place for what it means (doc), its unit, its default with
// the source of that, and what is allowed; [Keys] reads them.
type Config struct {
	Run     Run     `toml:"run" doc:"Where and how a run computes"`
	Data    Data    `toml:"data" doc:"Which images are used and how they are loaded"`
	Network Network `toml:"network" doc:"The shape of the network and its neurons, shared by search and training"`
	Search  Search  `toml:"search" doc:"The architecture search"`
	Train   Train   `toml:"train" doc:"The training of a genotype from scratch"`
	DGS     DGS     `toml:"dgs" doc:"The search of surrogate gradients during a training (differentiable surrogate gradient search)"`
	Tasks
	Eval Eval `toml:"eval" doc:"The evaluation on the test images"`
}

// Run says where and how a run computes.
type Run struct {
	Name           string `toml:"name" default:"(this project)" allowed:"one line of text" doc:"Name of the run in reports"`
	Seed           int64  `toml:"seed" default:"1 (this project)" allowed:"at least 0" doc:"Seed of every random number of the run"`
	Device         string `toml:"device" default:"auto (this project)" allowed:"auto, cpu, cuda or cuda:N" doc:"Device to compute on; auto takes CUDA where there is one"`
	Precision      string `toml:"precision" default:"auto (this project)" allowed:"auto, float32, bfloat16 or float16" doc:"Type of the convolutions; auto takes bfloat16 where it is fast, and float16, whose losses are scaled, on GPUs of compute capability 7; float16 is for CUDA devices"`
	Graphs         string `toml:"graphs" default:"off (this project)" allowed:"auto or off" doc:"Record the steps of search and training as CUDA graphs, which saves the processor the call of each operator; auto does so on CUDA devices and goes on without where a step cannot be recorded"`
	Recompute      bool   `toml:"recompute" default:"false (this project)" doc:"Keep only the inputs of each cell for the backward pass and compute its inside again: less memory, more time"`
	CuDNNBenchmark bool   `toml:"cudnn_benchmark" default:"true (this project)" doc:"Let cuDNN try its algorithms at the first convolution of each shape and keep the fastest; deterministic runs take its first choice"`
	TF32           string `toml:"tf32" default:"auto (this project)" allowed:"auto, on or off" doc:"Compute float32 with 10 bits of mantissa on GPUs from compute capability 8 on: convolutions and matrix products; auto is libtorch's own, convolutions alone"`
	Deterministic  bool   `toml:"deterministic" default:"false (this project)" doc:"Take only kernels that give the same bits each time, so that a run on CUDA can be repeated where libtorch can; an operator without one ends the run with its name; the CPU needs no such setting"`
	Threads        int    `toml:"threads" default:"0 (this project)" unit:"threads" allowed:"at least 0" doc:"Threads libtorch computes with, 0 for all cores"`
}

// Data says which images are used and how they are loaded.
type Data struct {
	Name             string    `toml:"name" default:"fashion-mnist (this project)" allowed:"data sets" doc:"Data set"`
	Path             string    `toml:"path" default:"(this project)" allowed:"one line of text" doc:"Folder that holds the data set, empty for the place where it is fetched to"`
	Size             int       `toml:"size" default:"0 (this project)" unit:"pixels" allowed:"0 to 4096" doc:"Side of the square crops of image folders and of the pictures of event stacks, 0 for 224 and the sensor's own; other sets have a size of their own"`
	MaxCorrupt       float64   `toml:"max_corrupt" default:"0.01 (this project)" allowed:"0 to 1" doc:"Share of the files of imagenet and image-folder that may be unreadable; more of them end the run"`
	Mean             []float64 `toml:"mean" default:"[] (this project)" allowed:"a list of numbers from 0 to 1" doc:"Mean of each channel on the scale 0..1, empty for the data set's own"`
	Std              []float64 `toml:"std" default:"[] (this project)" allowed:"a list of numbers above 0 and up to 1" doc:"Standard deviation of each channel on the scale 0..1, empty for the data set's own"`
	TrainImages      int       `toml:"train_images" default:"0 (this project)" unit:"images" allowed:"at least 0" doc:"Training images, a seeded subset, 0 for all"`
	TestImages       int       `toml:"test_images" default:"0 (this project)" unit:"images" allowed:"at least 0" doc:"Test images, a seeded subset, 0 for all"`
	ValidationImages int       `toml:"validation_images" default:"0 (this project)" unit:"images" allowed:"at least 0" doc:"Training images, a seeded subset, that are put aside: the network is chosen on them and tested once, in the end; 0 for none"`
	Pad              int       `toml:"pad" default:"0 (this project)" unit:"pixels" allowed:"0 to 128" doc:"Border of zeros on each side of an image; 2 makes 28x28 into 32x32"`
	Workers          int       `toml:"workers" default:"0 (this project)" unit:"goroutines" allowed:"at least 0" doc:"Loader goroutines, 0 for one a core"`
	Prefetch         int       `toml:"prefetch" default:"4 (this project)" unit:"batches" allowed:"at least 1" doc:"Batches prepared ahead"`
	Events           string    `toml:"events" default:"time (this project)" allowed:"time or count" doc:"Way to cut a recording of events into time steps: equal durations, or equal numbers of events"`
	Stack            string    `toml:"stack" default:"binary (this project)" allowed:"binary, counts or ternary" doc:"What a time step holds of the events: ones for ON and OFF (binary), their numbers (counts), or one channel with the sign of ON less OFF (ternary)"`
	Sensor           []int     `toml:"sensor" default:"[] (this project)" unit:"pixels" allowed:"[] or [width, height], each 1 to 65536" doc:"Width and height of the event sensor, empty for those of the data set or its files"`
	Columns          string    `toml:"columns" default:"auto (this project)" allowed:"auto, xytp or txyp" doc:"Order of the columns in .npy and .txt recordings; auto finds it out"`
	Resident         string    `toml:"resident" default:"auto (this project)" allowed:"auto, on or off" doc:"Keep the training data on the device and augment them there, with the same result; auto does so on CUDA devices for sets of at most a quarter of the free memory"`
}

// Eval is the evaluation on the test images.
type Eval struct {
	Batch       int    `toml:"batch" default:"100 (this project)" unit:"images" allowed:"at least 1" doc:"Batch size of the evaluation; it changes the speed, not the result"`
	CountImages int    `toml:"count_images" default:"0 (this project)" unit:"images" allowed:"at least 0" doc:"Test images whose spikes are counted for sparsity and energy, rounded up to whole batches; 0 for all where they are bits anyway (float32 on a CPU), else 500"`
	Precision   string `toml:"precision" default:"auto (this project)" allowed:"auto, float32, bfloat16 or float16" doc:"Type of the convolutions; auto takes bfloat16 on processors with AMX after training in it, else float32; float16 is for CUDA devices"`
}

// Network is the shape of the network and its neurons, shared by search and training.
type Network struct {
	Nodes       int     `toml:"nodes" default:"3 (paper 4.1.1, n3)" unit:"nodes" allowed:"1 to 16" doc:"Nodes in a cell"`
	Levels      []int   `toml:"levels" default:"[0, 0, 1, 1, 1, 2, 2, 2] (released script)" allowed:"a list that starts at 0 or 1 and changes by at most 1 from cell to cell" doc:"Resolution of each cell: level l has 1/2^l of the side and 2^l times the width; a genotype with a path of its own replaces it"`
	Steps       int     `toml:"steps" default:"6 (paper 4.1.2)" unit:"time steps" allowed:"at least 1" doc:"Time steps T an image is shown for"`
	Tau         float64 `toml:"tau" default:"0.2 (paper, equation 1)" allowed:"0 to 1" doc:"Share of the membrane that is left after one step; 0 gives the binary neuron"`
	Threshold   float64 `toml:"threshold" default:"0.5 (paper, equation 1)" allowed:"above 0" doc:"Membrane above which a neuron fires"`
	Temperature float64 `toml:"temperature" default:"3.0 (paper 4.1.1)" allowed:"above 0" doc:"Sharpness b of the surrogate gradient of nodes and stem"`
	Surrogate   string  `toml:"surrogate" default:"dspike (paper 3.1)" allowed:"dspike, triangular, superspike, arctan, rectangular, exponential or go:NAME of a registered family" doc:"Family of the surrogate gradients, for the backward pass only"`
	Activation  string  `toml:"activation" default:"lif (paper 4.1.2)" allowed:"lif or relu" doc:"What the neurons are: spiking ones, or the rectifiers of the ANN of the same architecture, which runs one step"`
	StemStrides []int   `toml:"stem_strides" default:"[1] (released script)" allowed:"a list of 1 to 4 numbers from 1 to 3" doc:"Stride of each layer of the stem, so their number too; each layer has half the width of the next"`
	Downsample  string  `toml:"downsample" default:"reduction (paper 3.2.2)" allowed:"reduction or nearest" doc:"How the side halves: reduction cells with their own genotype, or one genotype behind a nearest resize"`
	Head        string  `toml:"head" default:"rate (this project)" allowed:"lif or rate" doc:"Way to the logits: a spiking neuron or the mean rate before the linear layer"`
	BN          string  `toml:"bn" default:"folded (this project)" allowed:"folded or per-step" doc:"Batch normalisation: statistics over all steps folded into the batch, or of each step alone"`
}

// Learning is what search and training have alike: how long weights learn, and how. Its
// keys are in both sections; where the defaults differ, they stand under the section's name.
type Learning struct {
	Epochs            int     `toml:"epochs" search:"50 (paper 4.1.1)" train:"100 (paper 4.1.1)" unit:"epochs" allowed:"at least 1" doc:"Length"`
	Batch             int     `toml:"batch" default:"50 (paper 4.1.1)" unit:"images" allowed:"at least 1" doc:"Batch size"`
	Width             int     `toml:"width" search:"8 (released script)" train:"48 (released script)" unit:"channels" allowed:"at least 1" doc:"Width F of a node at level 0"`
	Mixing            string  `toml:"mixing" search:"spike (paper 3.2.1)" train:"membrane (paper 3.2.1)" allowed:"spike or membrane" doc:"Where the operations of a node meet: their spikes, or the current into the membrane"`
	Optimizer         string  `toml:"optimizer" default:"sgd (paper 4.1.1)" allowed:"sgd or adam" doc:"Optimiser of the weights: SGD with momentum, or Adam; a task may have a default of its own for the training"`
	LR                float64 `toml:"lr" default:"0.025 (paper 4.1.1)" allowed:"above 0" doc:"Learning rate of the weights at the start"`
	LRMin             float64 `toml:"lr_min" search:"0.0 (this project)" train:"0.0 (released script)" allowed:"at least 0" doc:"Learning rate of the weights at the end of its cosine"`
	Milestones        []int   `toml:"milestones" default:"[] (this project)" unit:"epochs" allowed:"a list of numbers above 0, each larger than the one before" doc:"Epochs after which the learning rate is multiplied by decay, in place of the cosine; a task may have a default of its own for the training"`
	Decay             float64 `toml:"decay" default:"0.5 (this project)" allowed:"above 0 and up to 1" doc:"Factor of the learning rate at each milestone"`
	Momentum          float64 `toml:"momentum" default:"0.9 (paper 4.1.1)" allowed:"at least 0 and below 1" doc:"Momentum of SGD"`
	WeightDecay       float64 `toml:"weight_decay" search:"0.0003 (released script)" train:"0.0003 (paper 4.1.1)" allowed:"at least 0" doc:"Weight decay of the weights"`
	Clip              float64 `toml:"clip" default:"5.0 (released script)" allowed:"at least 0" doc:"Norm that gradients of the weights are clipped to, 0 for none"`
	CheckpointMinutes float64 `toml:"checkpoint_minutes" default:"10.0 (this project)" unit:"minutes" allowed:"at least 0" doc:"Time between checkpoints, 0 for the ends of epochs only"`
}

// Candidates are the operations of a valid configuration, the columns of alpha.
func (s *Search) Candidates() []genotype.Op {
	var list []genotype.Op
	for _, name := range s.Operations {
		if op, err := genotype.ParseOp(name); err == nil {
			list = append(list, op)
		}
	}
	return list
}

// Search is the architecture search.
type Search struct {
	Learning
	WarmupEpochs     int      `toml:"warmup_epochs" default:"15 (paper 4.1.1)" unit:"epochs" allowed:"at least 0" doc:"First epochs, which train the weights alone"`
	Steps            int      `toml:"steps" default:"0 (this project)" unit:"time steps" allowed:"at least 0" doc:"Time steps of the supernet, 0 for network.steps"`
	Images           int      `toml:"images" default:"0 (paper 4.1.1)" unit:"images" allowed:"at least 0" doc:"Training images used, split in halves A (weights) and B (alpha), 0 for all"`
	LayerSearch      bool     `toml:"layer_search" default:"false (this project)" doc:"Search a level for each cell along with the cells: as many cells as network.levels has; needs network.downsample = nearest; a task of paths always does"`
	TrellisLevels    int      `toml:"trellis_levels" default:"4 (paper 3.2.2)" unit:"levels" allowed:"1 to 4" doc:"Levels of a search of layers, the finest first"`
	Operations       []string `toml:"operations" default:"['skip_connect', 'snn_b3', 'snn_b5'] (paper 3.2.1)" allowed:"operations" doc:"Candidate operations of the search, by name; more may be registered"`
	Stem             string   `toml:"stem" default:"relu (paper 3.2.2)" allowed:"relu or dspike" doc:"Activation of the stem of the supernet"`
	AlphaLR          float64  `toml:"alpha_lr" default:"0.001 (released script)" allowed:"above 0" doc:"Adam learning rate of the architecture"`
	AlphaBeta1       float64  `toml:"alpha_beta1" default:"0.9 (released script)" allowed:"at least 0 and below 1" doc:"First Adam beta of the architecture"`
	AlphaBeta2       float64  `toml:"alpha_beta2" default:"0.999 (released script)" allowed:"at least 0 and below 1" doc:"Second Adam beta of the architecture"`
	AlphaWeightDecay float64  `toml:"alpha_weight_decay" default:"0.001 (released script)" allowed:"at least 0" doc:"Weight decay of the architecture"`
	AlphaInit        float64  `toml:"alpha_init" default:"0.001 (released script)" allowed:"at least 0" doc:"Standard deviation of the initial architecture parameters"`
	SkipLimit        float64  `toml:"skip_limit" default:"0.0 (this project)" allowed:"0 to 1" doc:"Share of skips in the decoded genotype above which the search stops early, 0 for never"`
}

// Train is the training of a genotype from scratch.
type Train struct {
	Learning
	Genotype        string  `toml:"genotype" default:"(this project)" allowed:"one line of text" doc:"Genotype to train, a file or the name of a preset; empty for the one found by the run's own search"`
	AuxiliaryWeight float64 `toml:"auxiliary_weight" default:"0.4 (released script)" allowed:"at least 0" doc:"Weight of the auxiliary head's loss, 0 for no such head"`
	CropPadding     int     `toml:"crop_padding" default:"4 (released script)" unit:"pixels" allowed:"0 to 128" doc:"Border of zeros before a random crop back to the image's size, 0 for no crop"`
	CropMinArea     float64 `toml:"crop_min_area" default:"0.08 (Szegedy et al. 2015)" allowed:"0 to 1" doc:"Smallest share of a picture's area in a random resized crop of imagenet and image-folder, which takes the place of train.crop_padding there; 0 for the centre crop"`
	Flip            bool    `toml:"flip" default:"true (released script)" doc:"Mirror every other image at random"`
	Cutout          int     `toml:"cutout" default:"16 (released script)" unit:"pixels" allowed:"at least 0" doc:"Side of the square that is blanked at random, 0 for none"`
	EvalEvery       int     `toml:"eval_every" default:"1 (this project)" unit:"epochs" allowed:"at least 1" doc:"Time between evaluations"`
}

// AutoLayers in dgs.layers chooses the layers anew at each search.
const AutoLayers = "auto"

// DGS is the search of surrogate gradients during a training.
type DGS struct {
	Layers     []string `toml:"layers" default:"[] (this project)" allowed:"a list of names or patterns" doc:"Layers whose surrogate is searched, by name or pattern, such as stem0, cell5.node0, cell5 or *; auto chooses anew at each search; empty for none"`
	AutoLayers int      `toml:"auto_layers" default:"1 (this project)" unit:"layers" allowed:"at least 1" doc:"Layers that auto chooses: those with the most neurons whose surrogate is nearly 0"`
	Watch      []string `toml:"watch" default:"[] (this project)" allowed:"a list of names or patterns" doc:"Layers whose gradient, support and firing rate are recorded each epoch, beside those searched; by name or pattern"`
	Candidates int      `toml:"candidates" default:"5 (paper 4.1.1)" unit:"candidates" allowed:"an odd number from 3 on" doc:"Candidates N of a layer, an odd number"`
	Delta      float64  `toml:"delta" default:"0.2 (paper 4.1.1)" allowed:"above 0" doc:"Distance of neighbouring candidates' temperatures"`
	Iterations int      `toml:"iterations" default:"100 (paper 4.1.1)" unit:"iterations" allowed:"at least 1" doc:"Iterations I_g of a search, one training batch each"`
	Every      int      `toml:"every" default:"5 (paper 4.1.1)" unit:"epochs" allowed:"at least 1" doc:"Epochs e_D from one search to the next"`
	First      int      `toml:"first" default:"0 (this project)" unit:"epochs" allowed:"at least 0" doc:"Epochs before the first search, 0 for dgs.every"`
	Epsilon    float64  `toml:"epsilon" default:"0.001 (paper 4.1.1)" allowed:"any number" doc:"Value that every alpha starts an iteration with"`
	AlphaLR    float64  `toml:"alpha_lr" default:"0.01 (released script)" allowed:"above 0" doc:"Adam learning rate of alpha"`
	Min        float64  `toml:"min" default:"1.0 (released script)" allowed:"above 0" doc:"Lowest temperature that is chosen"`
	Max        float64  `toml:"max" default:"6.0 (released script)" allowed:"above 0" doc:"Highest temperature that is chosen"`
	Estimate   string   `toml:"estimate" default:"auto (this project)" allowed:"auto, repeat or direct" doc:"Way to the candidates' weights: a pass through the network for each, or one for all and a pass through the layer for each, with equal results; auto takes the second where it applies"`
}
