package config

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
