package data

import (
	"fmt"
	"slices"
	"strings"
)

// source is everything the package knows about one data set.
type source struct {
	name      string
	folder    string // sub-folder that Fetch fills
	ambiguous bool   // another set has the same file names: only folder tells them apart
	system    string // folder of the system's package, if there is one
	pkg       string // name of that package
	classes   []string
	mean      []float32
	std       []float32
	format    format
	manual    string // how to get it, of a set that Fetch cannot bring
	address   string // official address that the file names are added to
	files     []remoteFile
}

// remoteFile is a published file, its published checksum and its bytes.
type remoteFile struct {
	name, md5 string
	size      int64
}

// catalog lists the data sets that can be opened and fetched.
var catalog = []*source{
	{
		name:      "fashion-mnist",
		folder:    "fashion-mnist",
		ambiguous: true,
		system:    "/usr/share/datasets/fashion-mnist",
		pkg:       "dataset-fashion-mnist",
		classes:   fashionClasses,
		mean:      []float32{0.2860},
		std:       []float32{0.3530},
		format:    mnistFormat{},
		address:   "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
		files: []remoteFile{
			{"train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d", 26_421_880},
			{"train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe", 29_515},
			{"t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79", 4_422_102},
			{"t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310", 5_148},
		},
	},
	{
		name:      "mnist",
		folder:    "mnist",
		ambiguous: true,
		classes:   digitClasses,
		mean:      []float32{0.1307},
		std:       []float32{0.3081},
		format:    mnistFormat{},
		address:   "https://ossci-datasets.s3.amazonaws.com/mnist/",
		files: []remoteFile{
			{"train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873", 9_912_422},
			{"train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432", 28_881},
			{"t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3", 1_648_877},
			{"t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c", 4_542},
		},
	},
	{
		name:    "cifar10",
		folder:  "cifar10",
		classes: cifar10Classes,
		mean:    []float32{0.4914, 0.4822, 0.4465},
		std:     []float32{0.2470, 0.2435, 0.2616},
		format: &cifarFormat{
			folder:  "cifar-10-batches-bin",
			archive: "cifar-10-binary.tar.gz",
			train: recordFiles{
				[]string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
				10_000,
			},
			test:   recordFiles{[]string{"test_batch.bin"}, 10_000},
			labels: []int{10},
			names:  "batches.meta.txt",
		},
		address: cifarAddress,
		files:   []remoteFile{{"cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530", 170_052_171}},
	},
	cifar100("cifar100", cifar100Classes, 1, "fine_label_names.txt"),
	cifar100("cifar100-coarse", cifar100Coarse, 0, "coarse_label_names.txt"),
	imageFolder("imagenet", "download ILSVRC 2012 from image-net.org, which wants an account, or from kaggle.com, and name the folder that holds train and val with data.path"),
	imageFolder("image-folder", "name with data.path a folder that holds train and val (or test), in each a folder of images a class"),
}

const cifarAddress = "https://www.cs.toronto.edu/~kriz/"

// cifar100 is CIFAR-100 with one of its two label bytes as the label.
func cifar100(name string, classes []string, label int, names string) *source {
	return &source{
		name:    name,
		folder:  "cifar100",
		classes: classes,
		mean:    []float32{0.5071, 0.4867, 0.4408},
		std:     []float32{0.2675, 0.2565, 0.2761},
		format: &cifarFormat{
			folder:  "cifar-100-binary",
			archive: "cifar-100-binary.tar.gz",
			train:   recordFiles{[]string{"train.bin"}, 50_000},
			test:    recordFiles{[]string{"test.bin"}, 10_000},
			labels:  []int{20, 100},
			use:     label,
			names:   names,
		},
		address: cifarAddress,
		files:   []remoteFile{{"cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8", 168_513_733}},
	}
}

// imageFolder is a set of image files in class folders, normalised as ImageNet.
func imageFolder(name, manual string) *source {
	return &source{
		name: name, folder: name, ambiguous: true, manual: manual,
		mean: imageNetMean, std: imageNetStd, format: folderFormat{},
	}
}

// Names lists the data sets that [Open] knows. "cifar100-coarse" is CIFAR-100 with
// its 20 superclasses as labels, "image-folder" any folder of image files. [Fetch]
// brings those that are not of image files.
func Names() []string {
	names := make([]string, len(catalog))
	for i, s := range catalog {
		names[i] = s.name
	}
	return names
}

// lookup finds a data set by name.
func lookup(name string) (*source, error) {
	i := slices.IndexFunc(catalog, func(s *source) bool { return s.name == name })
	if i < 0 {
		return nil, fmt.Errorf("%w %q; choose one of %s", ErrUnknown, name, strings.Join(Names(), ", "))
	}
	return catalog[i], nil
}
