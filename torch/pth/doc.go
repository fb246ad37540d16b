// Package pth reads the weights of PyTorch checkpoints (torch.save, .pth and .pt) without
// Python and without libtorch. Such a file is a zip archive: a pickle, which describes
// objects, and the storages of tensors. A pickle can name any function to be called; here
// nothing is called: tensors, storages and dictionaries are understood, every other object is
// kept as its name alone, and cannot do harm.
package pth
