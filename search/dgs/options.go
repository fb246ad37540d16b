package dgs

import (
	"cmp"
	"errors"
	"fmt"
	"math"
)

// Estimate is how the candidates' weights are found; see the package comment.
type Estimate string

const (
	// Auto is [Direct] where it applies, else [Repeat].
	Auto Estimate = "auto"
	// Repeat takes N passes through the network for each layer.
	Repeat Estimate = "repeat"
	// Direct takes one pass, and N through each layer.
	Direct Estimate = "direct"
)

// Options of a search. A field that is 0 or empty has its default, but for
// LearningRate, which has none, and Clip.
type Options struct {
	// Candidates is N, odd so that the present temperature is one. Default 5 (4.1.1).
	Candidates int
	// Delta is the distance of neighbouring candidates' temperatures. Default 0.2 (4.1.1).
	Delta float64
	// Iterations is I_g. Default 100 (4.1.1).
	Iterations int
	// Epsilon is where every alpha starts. Equal values make equal shares, so it
	// has no effect on a result; it is the paper's. Default 1e-3 (4.1.1).
	Epsilon float64
	// AlphaRate is the learning rate of Adam on alpha. Default 0.01 (released script).
	AlphaRate float64
	// Min and Max bound the temperature that is chosen. Default 1 and 6 (released script).
	Min, Max float64
	// Estimate is the way to the candidates' weights. Default [Auto].
	Estimate Estimate
	// LearningRate of the candidates' steps: that of the training at this time. A
	// step is plain gradient descent, without momentum and weight decay, which
	// would move all candidates alike.
	LearningRate float64
	// Clip is the norm that the gradient of a layer is clipped to; 0 for none. It
	// is the training's, but here the norm is that of the layer alone.
	Clip float64
	// LossScale multiplies losses before their gradients are taken, which are divided
	// by it, so that they do not vanish in float16: a power of two, 0 for none.
	LossScale float64
	// Keep are tensors that a forward pass changes by itself, such as running
	// statistics. Every iteration puts them back.
	Keep []Tensor
}

// ErrOptions is the cause of an error about options that make no search.
var ErrOptions = errors.New("invalid search of surrogates")

// withDefaults fills in what was left out.
func (o Options) withDefaults() Options {
	o.Candidates, o.Delta = cmp.Or(o.Candidates, 5), cmp.Or(o.Delta, 0.2)
	o.Iterations, o.AlphaRate = cmp.Or(o.Iterations, 100), cmp.Or(o.AlphaRate, 0.01)
	o.Epsilon = cmp.Or(o.Epsilon, 1e-3)
	o.Min, o.Max = cmp.Or(o.Min, 1), cmp.Or(o.Max, 6)
	o.Estimate = cmp.Or(o.Estimate, Auto)
	return o
}

// Validate checks the options after their defaults.
func (o Options) Validate() error {
	o = o.withDefaults()
	finite := func(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
	for _, c := range []struct {
		holds bool
		text  string
	}{
		{o.Candidates >= 3 && o.Candidates%2 == 1, fmt.Sprintf("candidates are %d; take an odd number from 3 on", o.Candidates)},
		{o.Iterations > 0, fmt.Sprintf("iterations are %d; take at least 1", o.Iterations)},
		{o.Delta > 0 && finite(o.Delta), fmt.Sprintf("delta is %g; take one above 0", o.Delta)},
		{finite(o.Epsilon), fmt.Sprintf("epsilon is %g", o.Epsilon)},
		{o.AlphaRate > 0 && finite(o.AlphaRate), fmt.Sprintf("the learning rate of alpha is %g; take one above 0", o.AlphaRate)},
		{o.Min > 0 && o.Min <= o.Max && finite(o.Max), fmt.Sprintf("temperatures are bound to %g..%g; take 0 < min <= max", o.Min, o.Max)},
		{o.LearningRate > 0 && finite(o.LearningRate), fmt.Sprintf("the learning rate is %g; take that of the training", o.LearningRate)},
		{o.Clip >= 0 && finite(o.Clip), fmt.Sprintf("clip is %g; take 0 or more", o.Clip)},
		{o.LossScale >= 0 && finite(o.LossScale), fmt.Sprintf("the loss scale is %g; take a power of two, or 0", o.LossScale)},
		{o.Estimate == Auto || o.Estimate == Repeat || o.Estimate == Direct, fmt.Sprintf("estimate is %q; take %s, %s, %s", o.Estimate, Auto, Repeat, Direct)},
	} {
		if !c.holds {
			return fmt.Errorf("dgs: %s: %w", c.text, ErrOptions)
		}
	}
	return nil
}

// offset is how far candidate i lies from the present temperature:
// b + (i - (N-1)/2) Delta b.
func (o *Options) offset(i int) float64 { return float64(i-(o.Candidates-1)/2) * o.Delta }
