// Package bench measures this program and compares it with the same networks in
// plain PyTorch (package bench at the top of the module).
//
// A [Case] is one point of a table: a task, its shapes, precision, threads and
// device. Each implementation of it runs in a process of its own, so that its
// peak memory is its own; [Work] is our side of the protocol:
//
//	-> {"torch": "1.13.1"}            the case is built
//	<- 4                              run four steps
//	-> {"seconds": 1.25}
//	<- end of input
//	-> {"peak_rss_mb": 700.5}
//
// [Plan.Run] starts the processes, warms them up and asks them in turn, so that
// what else happens on the machine meets all of them alike. A [Row] is what one
// implementation reached, the median of its repeats, a [Pair] the ratio of two.
// On a CUDA device our side can be measured twice, the second time with its steps
// recorded as graphs ([OursGraphs]); SpikingJelly can stand beside plain PyTorch.
//
// The steps are those of a training and a search: [train.Step] is what package train
// repeats over a data set. [LIF] and [Loader] measure parts: the neuron against a plain
// copy, the images against what training takes. [SpikingJellyLIF] measures the neuron of SpikingJelly beside ours, and [Profile]
// says which operators a step spends its time in.
package bench
