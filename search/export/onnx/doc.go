// Package onnx writes networks as ONNX models (https://onnx.ai, opset 17), for programs
// without libtorch: a walk over the nodes of a [graph.Program], as TorchScript is.
//
// All operators are standard ones. A layer of neurons is written step by step,
//
//	u[t] = tau*v[t-1] + I[t],  y[t] = 1 where u[t] > threshold,  v[t] = 0 where y[t] = 1, else u[t]  (eq. 1)
//
// so a model of T steps has T of these for each layer. Batch and size of the images stay
// free. [Network] is a whole window from rest, [Step] one step of two views with the
// membranes as inputs and outputs.
package onnx
