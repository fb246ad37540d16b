// Package torch binds libtorch: tensors, operators, gradients, layers,
// optimisers, checkpoints and TorchScript, through the C interface of
// libspikedhs.
//
// # Scopes
//
// Go's collector does not see libtorch's memory, so tensors are freed by
// scopes. Every operator is a method of a [Scope], which owns the result;
// [Scope.Close] frees all that the scope owns. A training step is one scope:
//
//	for range steps {
//		s := torch.NewScope()
//		loss := network.Loss(s, batch)
//		optimizer.Step(s, s.GradientOf(loss, leaves))
//		if err := s.Close(); err != nil {
//			return err
//		}
//	}
//
// A function keeps its temporaries in a [Scope.Child] and hands its result to
// the caller's scope with [Scope.Return]; [Scope.Free] frees one large
// temporary early. What the gradient graph needs stays alive in the graph.
// [NewInference] and [Scope.WithoutGradient] make scopes that record none.
// Parameters belong to [Variables], which live as long as the network.
//
// [LiveTensors] counts handles and must not grow from step to step. Where it
// does, build with -tags tensorprofile: LiveTensorProfile then shows where
// each living tensor was made. Finalizers free what a forgotten scope held,
// but nobody knows when.
//
// # Errors
//
// Errors stick to a scope: after the first one its operators do nothing and
// return no tensor (see [Defined]), so a forward pass reads like its formula
// and is checked once, with [Scope.Err] or by what Close returns. A child
// starts with the error of its parent and hands its own up when it is closed.
// A message is one line; it names the layer ([Scope.Blame]), the operator, and
// the types and shapes of the arguments. No C++ exception leaves the shim.
//
// The causes that a program may want to tell apart: [ErrClosed], a tensor used
// after its scope was closed; [ErrMismatch], a checkpoint of another network;
// [ErrSafetensors], a damaged file.
//
// # Operators
//
// The typed methods ([Scope.Add], [Scope.CrossEntropy], ...) are those that
// this project uses. [Scope.Call] and [Scope.Tensor] reach any other operator
// that libtorch or libspikedhs registered, by its schema name.
//
// # Goroutines and threads
//
// A scope belongs to one goroutine at a time. Different scopes may be used at
// the same time, and tensors may be read by several; who writes into one
// (in-place operators, optimisers, batch normalisation in training) must be
// the only user. Settings that libtorch keeps for each OS thread, such as
// whether gradients are recorded, are set inside each call, so a goroutine
// may move between OS threads.
//
// [SetThreads] says how many threads one operator uses; at the start it is
// the number of cores, or OMP_NUM_THREADS. OpenMP keeps a pool of workers for
// every OS thread that calls it: a loop over many operators should stay on
// one, see [Pin].
//
// # gotorch
//
// [Tensor], [Device] and the element types are those of
// github.com/wangkuiyi/gotorch, so tensors pass freely between both packages;
// [Scope.Own] adopts a tensor that gotorch made. Nothing else of gotorch is
// used except the making of device objects: its tensors are freed by
// finalizers, and its operators panic on errors. Its init halves the number of
// threads and locks the main goroutine to its OS thread; this package undoes
// both. Do not call gotorch's GC, which waits for finalizers that Own
// disarmed.
package torch
