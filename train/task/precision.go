package task

import (
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
)

// Precision is what run.precision means on a device: "auto" is 16 bits where the device
// is fast in them, in the type that it is fast in, and float32 elsewhere.
func Precision(name string, d torch.Device) search.Precision {
	switch {
	case name != "auto":
		return search.Precision(name)
	case torch.IsCUDA(d):
		major, _ := torch.Capability(d)
		return precisionOfCapability(major)
	case torch.FastBFloat16():
		return search.BFloat16
	}
	return search.Float32
}

// precisionOfCapability is the type that GPUs are fast in by the first number of their
// compute capability: they have tensor cores for bfloat16 from 8.0 (Ampere) on, and
// before that, from 7.0 (Volta) on, for float16.
func precisionOfCapability(major int) search.Precision {
	switch {
	case major >= 8:
		return search.BFloat16
	case major == 7:
		return search.Float16
	}
	return search.Float32
}

// EvalPrecision is what eval.precision means for a run.
func EvalPrecision(c *config.Config, d torch.Device) search.Precision {
	return InferencePrecision(c.Eval.Precision, Precision(c.Run.Precision, d), d)
}

// InferencePrecision is what eval.precision means for a network that was trained
// with convolutions in the given precision: "auto" is bfloat16 if that was, too,
// and the CPU multiplies tiles of it ([torch.MatrixTiles]). Everywhere else it is
// float32, whose event-driven form is then the faster one. On the CPU float16 means
// "auto", so that a run of a GPU can be evaluated anywhere.
func InferencePrecision(name string, trained search.Precision, d torch.Device) search.Precision {
	switch {
	case name != "auto" && (name != string(search.Float16) || torch.IsCUDA(d)):
		return search.Precision(name)
	case trained == search.BFloat16 && !torch.IsCUDA(d) && torch.MatrixTiles():
		return search.BFloat16
	}
	return search.Float32
}
