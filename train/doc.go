// Package train runs what the other packages make: the architecture search, the
// training of a genotype, evaluation and export. It is one loop for every task: what a
// run is about it asks of a [task.Task].
//
// [Search] alternates two steps (paper, section 3.3): network weights w go down
// the gradient of the loss on a batch of set A, then architecture weights alpha
// (and beta, where levels are searched) go down the gradient of the loss on a batch of
// set B, where A and B are disjoint halves of the training data:
//
//	w     <- w     - lr_w     * grad_w     L_A(w, alpha)
//	alpha <- alpha - lr_alpha * grad_alpha L_B(w, alpha)
//
// It is first order: the second gradient takes w as it is. [Train] trains the
// network of a genotype from fresh weights. Both follow a [config.Config], keep
// a run folder (package run) with metrics and checkpoints, and can be
// interrupted by their context and resumed to the bit.
//
//	c, err := config.Load("fashion-mnist", nil)
//	found, err := train.Search(ctx, train.Job{Config: c, Out: "runs/search"})
//	c.Train.Genotype = "runs/search/genotype.json"
//	result, err := train.Train(ctx, train.Job{Config: c, Out: "runs/train"})
//
// A training may search the surrogate gradients of its network's layers between
// epochs (package search/dgs; [config.DGS]). The state of such a search is in the
// checkpoint, so it can be interrupted and resumed like everything else.
//
// Steps can be recorded as CUDA graphs. Where there are validation data the network that
// is best on them is kept beside the last one.
//
// [Open] reads a trained network back, to evaluate and export it. Exported ones are read
// by the packages of their tasks. A loss is the mean cross entropy in nats, accuracies
// are percent. On a CPU one seed gives one run, bit for bit, for a
// given libtorch, processor and number of threads.
package train
