package torch

import (
	"errors"
	"fmt"
	"math"
)

// Optimizer changes parameters by their gradients. A parameter without a
// gradient is left alone.
//
// On a CUDA device the numbers that change from step to step lie in tensors, so
// that a step can be recorded ([Record]): Begin before each replay, Apply in the
// recording.
type Optimizer interface {
	// Step applies gradients once, one for each parameter in their order; one
	// may be no tensor. In a scope that has failed it does nothing. It is Begin
	// and Apply.
	Step(s *Scope, gradients []Tensor)
	// Begin counts a step, and brings its learning rate to the device.
	Begin(s *Scope)
	// Apply applies gradients as the step that was begun last.
	Apply(s *Scope, gradients []Tensor)
	// SetLearningRate sets the rate of the following steps.
	SetLearningRate(rate float64)
	// State lists what a checkpoint must keep, in a fixed order.
	State() []Variable
	// SetState restores State by name, and the number of steps done.
	SetState(tensors map[string]Tensor, steps int64) error
	// Steps is the number of steps done.
	Steps() int64
	// LossScale is that of the options, nil for none. Gradients come to Apply unscaled,
	// and a step that is to be skipped changes nothing.
	LossScale() *LossScale
}

var (
	_ Optimizer = (*SGD)(nil)
	_ Optimizer = (*Adam)(nil)
)

// slots are the tensors that an optimiser keeps for its parameters, with
// names "<slot>.<parameter>".
type slots struct {
	parameters []Variable
	store      *Variables
	steps      int64
	numbers    *numbers   // nil on the CPU
	scale      *LossScale // nil: steps are never skipped
}

// newSlots makes an optimiser's tensors; scale is the factor of its loss scale, 0 for
// none.
func newSlots(d Device, parameters []Variable, scale float64, names ...string) (slots, error) {
	o := slots{parameters: parameters, store: NewVariables(d)}
	if scale != 0 {
		var err error
		if o.scale, err = NewLossScale(d, scale); err != nil {
			return slots{}, err
		}
	}
	if IsCUDA(d) || o.scale != nil {
		o.numbers = newNumbers(d)
	}
	for _, slot := range names {
		for _, p := range parameters {
			o.store.add(slot+"."+p.Name, o.store.scope.ZerosLike(p.Value), false)
		}
	}
	return o, o.store.Err()
}

// State implements [Optimizer].
func (o *slots) State() []Variable { return o.store.All() }

// Steps implements [Optimizer].
func (o *slots) Steps() int64 { return o.steps }

// SetState implements [Optimizer].
func (o *slots) SetState(tensors map[string]Tensor, steps int64) error {
	if err := o.store.Assign(tensors); err != nil {
		return fmt.Errorf("torch: optimiser state: %w", err)
	}
	o.steps = steps
	return nil
}

// LossScale implements [Optimizer].
func (o *slots) LossScale() *LossScale { return o.scale }

// Close frees the state.
func (o *slots) Close() error {
	return errors.Join(o.numbers.close(), o.scale.Close(), o.store.Close())
}

// slot is the i-th parameter's tensor of the k-th slot.
func (o *slots) slot(k, i int) Tensor { return o.store.list[k*len(o.parameters)+i].Value }

// check makes s fail when there is not one gradient for each parameter.
func (o *slots) check(s *Scope, gradients []Tensor) {
	if len(gradients) != len(o.parameters) && s.err == nil {
		s.fail(fmt.Errorf("torch: optimiser: %d gradients for %d parameters", len(gradients), len(o.parameters)))
	}
}

// SGD is stochastic gradient descent with momentum and weight decay:
// g = grad + decay*w; m = momentum*m + g; w -= rate*m.
type SGD struct {
	slots
	rate, momentum, decay float64
}

// SGDOptions are the constants of [SGD]; momentum and decay default to 0. LossScale is
// the factor of a [LossScale], 0 for none.
type SGDOptions struct{ Rate, Momentum, WeightDecay, LossScale float64 }

// NewSGD makes an optimiser of the given parameters.
func NewSGD(d Device, parameters []Variable, o SGDOptions) (*SGD, error) {
	state, err := newSlots(d, parameters, o.LossScale, "momentum")
	if err != nil {
		return nil, err
	}
	return &SGD{slots: state, rate: o.Rate, momentum: o.Momentum, decay: o.WeightDecay}, nil
}

// SetLearningRate implements [Optimizer].
func (o *SGD) SetLearningRate(rate float64) { o.rate = rate }

// Step implements [Optimizer].
func (o *SGD) Step(s *Scope, gradients []Tensor) {
	if o.check(s, gradients); s.err != nil {
		return
	}
	o.Begin(s)
	o.Apply(s, gradients)
}

// Begin implements [Optimizer].
func (o *SGD) Begin(s *Scope) {
	o.steps++
	o.numbers.set(s, o.rate)
}

// Apply implements [Optimizer].
func (o *SGD) Apply(s *Scope, gradients []Tensor) {
	if o.check(s, gradients); s.err != nil {
		return
	}
	c := s.WithoutGradient()
	defer c.Close()
	if o.numbers != nil {
		o.applyTogether(c, gradients)
		return
	}
	values, momenta, grads := o.changed(gradients)
	c.Call("spikedhs::sgd_step", values, momenta, grads, o.momentum, o.decay, o.rate)
}

// changed lists the parameters that have a gradient, their momenta and gradients.
func (o *SGD) changed(gradients []Tensor) (values, momenta, grads []Tensor) {
	for i, p := range o.parameters {
		if Defined(gradients[i]) {
			values, momenta, grads = append(values, p.Value), append(momenta, o.slot(0, i)), append(grads, gradients[i])
		}
	}
	return values, momenta, grads
}

// Adam (Kingma and Ba 2015) with weight decay added to the gradient.
type Adam struct {
	slots
	rate, beta1, beta2, decay float64
}

// AdamOptions are the constants of [Adam]; betas default to 0.9 and 0.999. LossScale is
// the factor of a [LossScale], 0 for none.
type AdamOptions struct{ Rate, Beta1, Beta2, WeightDecay, LossScale float64 }

const adamEpsilon = 1e-8

// NewAdam makes an optimiser of the given parameters.
func NewAdam(d Device, parameters []Variable, o AdamOptions) (*Adam, error) {
	if o.Beta1 == 0 {
		o.Beta1 = 0.9
	}
	if o.Beta2 == 0 {
		o.Beta2 = 0.999
	}
	state, err := newSlots(d, parameters, o.LossScale, "first_moment", "second_moment")
	if err != nil {
		return nil, err
	}
	return &Adam{slots: state, rate: o.Rate, beta1: o.Beta1, beta2: o.Beta2, decay: o.WeightDecay}, nil
}

// SetLearningRate implements [Optimizer].
func (o *Adam) SetLearningRate(rate float64) { o.rate = rate }

// Step implements [Optimizer].
func (o *Adam) Step(s *Scope, gradients []Tensor) {
	if o.check(s, gradients); s.err != nil {
		return
	}
	o.Begin(s)
	o.Apply(s, gradients)
}

// Begin implements [Optimizer].
func (o *Adam) Begin(s *Scope) {
	o.steps++
	rate, unbias := o.constants()
	o.numbers.set(s, rate, unbias)
}

// constants are the learning rate and the factor of the second moment that
// correct for the moments having started at 0.
func (o *Adam) constants() (rate, unbias float64) {
	correction1 := 1 - math.Pow(o.beta1, float64(o.steps))
	correction2 := 1 - math.Pow(o.beta2, float64(o.steps))
	return o.rate / correction1, 1 / correction2
}

// Apply implements [Optimizer].
func (o *Adam) Apply(s *Scope, gradients []Tensor) {
	if o.check(s, gradients); s.err != nil {
		return
	}
	c := s.WithoutGradient()
	defer c.Close()
	rate, unbias := o.constants()
	skip := o.scale.choose(c)
	step := o.numbers.rate(c, skip)
	shrink := func(moment Tensor, beta float64) { c.Tensor("aten::mul_.Scalar", moment, beta) }
	if skip != nil {
		keep := map[float64]Tensor{o.beta1: skip.number(o.beta1, 1), o.beta2: skip.number(o.beta2, 1)}
		shrink = func(moment Tensor, beta float64) { c.Tensor("aten::mul_.Tensor", moment, keep[beta]) }
	}
	for i, p := range o.parameters {
		grad := gradients[i]
		if !Defined(grad) {
			continue
		}
		if o.decay != 0 {
			grad = c.Tensor("aten::add.Tensor", grad, p.Value, Named{"alpha", o.decay})
		}
		if skip != nil {
			grad = skip.gradient(grad)
		}
		first, second := o.slot(0, i), o.slot(1, i)
		shrink(first, o.beta1)
		c.Tensor("aten::add_.Tensor", first, grad, Named{"alpha", 1 - o.beta1})
		shrink(second, o.beta2)
		c.Tensor("aten::addcmul_", second, grad, grad, Named{"value", 1 - o.beta2})
		if o.numbers != nil {
			scale := c.Tensor("aten::sqrt", c.Mul(second, o.numbers.list[1]))
			c.Tensor("aten::add_.Scalar", scale, adamEpsilon)
			c.Tensor("aten::addcmul_", p.Value, c.Tensor("aten::div.Tensor", first, scale), step, Named{"value", -1.0})
			continue
		}
		scale := c.Tensor("aten::sqrt", c.Scale(second, unbias))
		c.Tensor("aten::add_.Scalar", scale, adamEpsilon)
		c.Tensor("aten::addcdiv_", p.Value, first, scale, Named{"value", -rate})
	}
}

// ClipGradients scales gradients in place so that their common Euclidean norm
// is at most limit, and returns the norm before that as a tensor (no value is
// waited for). A limit of 0 changes nothing. Missing gradients are passed over.
func (s *Scope) ClipGradients(gradients []Tensor, limit float64) Tensor {
	c := s.WithoutGradient()
	defer c.Close()
	var norms []Tensor
	present := onlyDefined(gradients)
	if len(present) == 0 {
		return c.Return(c.Full(CPU(), 0))
	}
	together := IsCUDA(c.Device(present[0]))
	if together {
		norms = c.list("aten::_foreach_norm.Scalar", present)
	} else {
		for _, grad := range present {
			norms = append(norms, c.Tensor("aten::linalg_vector_norm", grad))
		}
	}
	norm := c.Tensor("aten::linalg_vector_norm", c.Stack(norms, 0))
	if limit > 0 {
		ratio := c.Tensor("aten::reciprocal", c.Tensor("aten::add.Scalar", norm, 1e-6))
		factor := c.Tensor("aten::clamp", c.Scale(ratio, limit), nil, 1.0)
		if together && c.has("aten::_foreach_mul_.Tensor") {
			c.Call("aten::_foreach_mul_.Tensor", present, factor)
			return c.Return(norm)
		}
		for _, grad := range present {
			c.Tensor("aten::mul_.Tensor", grad, factor)
		}
	}
	return c.Return(norm)
}

// Cosine is the learning rate at position 0 <= done <= 1 of a schedule that
// falls from high to low along half a cosine.
func Cosine(high, low, done float64) float64 {
	done = min(max(done, 0), 1)
	return low + (high-low)*(1+math.Cos(math.Pi*done))/2
}
