// Package configs holds the presets: configurations that are part of the program.
//
//	fashion-mnist-demo   search and training in minutes on a CPU
//	fashion-mnist        a full run on Fashion-MNIST
//	cifar10-paper        CIFAR-10 as the paper describes it
//	cifar100-paper       CIFAR-100 as the paper describes it
//	cifar10-reference    CIFAR-10 as the authors' released scripts do it
//	n-mnist              events: N-MNIST, or a part of it, on a CPU
//	cifar10-dvs          events: CIFAR10-DVS on a GPU
//
// A preset is a TOML document over the defaults of package train/config. Its head
// says where its numbers come from and what it is for. "--config NAME" uses one.
package configs
