package config

// Config is the whole configuration of a run. The zero value is not valid; start
// from [Default] or [Load].
type Config struct {
	Run     Run     `toml:"run"`
	Data    Data    `toml:"data"`
	Network Network `toml:"network"`
	Search  Search  `toml:"search"`
	Train   Train   `toml:"train"`
	DGS     DGS     `toml:"dgs"`
	Tasks
	Eval Eval `toml:"eval"`
}

// Run says where and how a run computes.
type Run struct {
	// Name is the name of the run in reports. Default "" (this project).
	Name string `toml:"name"`
	// Seed is the seed of every random number of the run. Default 1 (this project).
	Seed int64 `toml:"seed"`
	// Device is the device to compute on; auto takes CUDA where there is one. Default "auto" (this project).
	Device string `toml:"device"`
	// Precision is the type of the convolutions; auto takes bfloat16 where it is fast, and float16, whose losses are scaled, on GPUs of compute capability 7; float16 is for CUDA devices. Default "auto" (this project).
	Precision string `toml:"precision"`
	// Graphs records the steps of search and training as CUDA graphs, which saves the processor the call of each operator; auto does so on CUDA devices and goes on without where a step cannot be recorded. Default "off" (this project).
	Graphs string `toml:"graphs"`
	// Recompute keeps only the inputs of each cell for the backward pass and computes its inside again: less memory, more time. Default false (this project).
	Recompute bool `toml:"recompute"`
	// CuDNNBenchmark lets cuDNN try its algorithms at the first convolution of each shape and keep the fastest; deterministic runs take its first choice. Default true (this project).
	CuDNNBenchmark bool `toml:"cudnn_benchmark"`
	// TF32 lets GPUs from compute capability 8 on compute in float32 with 10 bits of mantissa: on and off hold for convolutions and matrix products, auto is libtorch's own, convolutions alone. Default "auto" (this project).
	TF32 string `toml:"tf32"`
	// Deterministic takes only kernels that give the same bits each time, so that a run on CUDA can be repeated where libtorch can; an operator without such a kernel ends the run with its name. The CPU needs no such setting. Default false (this project).
	Deterministic bool `toml:"deterministic"`
	// Threads is the number of threads libtorch computes with, 0 for all cores. Unit: threads. Default 0 (this project).
	Threads int `toml:"threads"`
}

// Data says which images are used and how they are loaded.
type Data struct {
	// Name is the data set. Default "fashion-mnist" (this project).
	Name string `toml:"name"`
	// Path is the folder that holds the data set, empty for the place where it is fetched to. Default "" (this project).
	Path string `toml:"path"`
	// Size is the side of the square crops of image folders and of the pictures of event stacks, 0 for 224 and the sensor's own; other sets have a size of their own. Unit: pixels. Default 0 (this project).
	Size int `toml:"size"`
	// MaxCorrupt is the share of the files of imagenet and image-folder that may be unreadable; more of them end the run. Default 0.01 (this project).
	MaxCorrupt float64 `toml:"max_corrupt"`
	// Mean is the mean of each channel on the scale 0..1, empty for the data set's own. Default [] (this project).
	Mean []float64 `toml:"mean"`
	// Std is the standard deviation of each channel on the scale 0..1, empty for the data set's own. Default [] (this project).
	Std []float64 `toml:"std"`
	// TrainImages limits the training images to a seeded subset, 0 for all. Unit: images. Default 0 (this project).
	TrainImages int `toml:"train_images"`
	// TestImages limits the test images to a seeded subset, 0 for all. Unit: images. Default 0 (this project).
	TestImages int `toml:"test_images"`
	// ValidationImages is the number of training images, a seeded subset, that are put aside: the network is chosen on them and tested once, in the end; 0 for none. Unit: images. Default 0 (this project).
	ValidationImages int `toml:"validation_images"`
	// Pad is the border of zeros on each side of an image; 2 makes 28x28 into 32x32. Unit: pixels. Default 0 (this project).
	Pad int `toml:"pad"`
	// Workers is the number of loader goroutines, 0 for one a core. Unit: goroutines. Default 0 (this project).
	Workers int `toml:"workers"`
	// Prefetch is the number of batches prepared ahead. Unit: batches. Default 4 (this project).
	Prefetch int `toml:"prefetch"`
	// Events is how a recording of an event camera is cut into time steps: equal durations or equal numbers of events. Default "time" (this project).
	Events string `toml:"events"`
	// Stack is what a time step holds of the events: ones for ON and OFF (binary), their numbers (counts), or one channel with the sign of ON less OFF (ternary). Default "binary" (this project).
	Stack string `toml:"stack"`
	// Sensor is the width and height of the event sensor, empty for those of the data set or its files. Unit: pixels. Default [] (this project).
	Sensor []int `toml:"sensor"`
	// Columns is the order of the columns in .npy and .txt recordings; auto finds it out. Default "auto" (this project).
	Columns string `toml:"columns"`
	// Resident keeps the training images on the device and augments them there, with the same result; auto does so on CUDA devices for sets of at most a quarter of the free memory. Default "auto" (this project).
	Resident string `toml:"resident"`
}

// Eval is the evaluation on the test images.
type Eval struct {
	// Batch is the batch size of the evaluation; it changes the speed, not the result. Unit: images. Default 100 (this project).
	Batch int `toml:"batch"`
	// CountImages is the number of test images whose spikes are counted for sparsity and energy, rounded up to whole batches; 0 for all where they are bits anyway (float32 on a CPU), else 500. Unit: images. Default 0 (this project).
	CountImages int `toml:"count_images"`
	// Precision is the type of the convolutions; auto takes bfloat16 on processors with AMX after training in it, else float32; float16 is for CUDA devices. Default "auto" (this project).
	Precision string `toml:"precision"`
}
