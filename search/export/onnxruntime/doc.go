// Package onnxruntime runs ONNX models in Microsoft's ONNX Runtime, where its library is
// found when the program runs: nothing of it is needed to build. It serves to compare
// models with the networks they came from, and to run and time them.
package onnxruntime
