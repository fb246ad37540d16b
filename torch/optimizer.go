package torch

import (
	"errors"
	"fmt"
	"math"
)

// Optimizer changes parameters by their gradients. A parameter without a
// gradient is left alone, unless that is known to be 0 (see [Variable.Follows]).
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

// rule is what one optimiser does and others do not.
type rule interface {
	Begin(s *Scope)
	// apply applies the gradients of some parameters, by their numbers; there is at
	// least one. c records no gradients.
	apply(c *Scope, which []int, values, grads []Tensor)
}

// slots are the tensors that an optimiser keeps for its parameters, with
// names "<slot>.<parameter>", and what all optimisers do alike.
type slots struct {
	rule
	rate       float64
	parameters []Variable
	store      *Variables
	steps      int64
	follows    []int      // of each parameter that follows another, that one; else -1
	zeros      []Tensor   // gradients of those that follow
	together   *together  // nil on the CPU
	scale      *LossScale // nil: steps are never skipped
}

// newSlots makes the slots; where a call costs more than its work, all tensors of a
// slot lie together, and so they do where a step may be skipped. scale is the factor of
// the loss scale, 0 for none.
func newSlots(d Device, parameters []Variable, together bool, scale float64, names ...string) (slots, error) {
	o := slots{parameters: parameters, store: NewVariables(d)}
	if scale != 0 {
		var err error
		if o.scale, err = NewLossScale(d, scale); err != nil {
			return slots{}, err
		}
		together = true
	}
	o.findFollowers()
	if together && len(parameters) > 0 {
		o.together = newTogether(d, Tensors(parameters))
	}
	for _, slot := range names {
		parts := o.slotOf(parameters)
		for i, p := range parameters {
			o.store.add(slot+"."+p.Name, at(parts, i), false)
		}
	}
	return o, o.store.Err()
}

// slotOf makes the tensors of one more slot.
func (o *slots) slotOf(parameters []Variable) []Tensor {
	if o.together != nil {
		return o.together.slot(o.store.scope, Tensors(parameters))
	}
	var list []Tensor
	for _, p := range parameters {
		list = append(list, o.store.scope.ZerosLike(p.Value))
	}
	return list
}

// findFollowers looks up which parameters follow which, and makes their gradients.
func (o *slots) findFollowers() {
	index := map[string]int{}
	for i, p := range o.parameters {
		index[p.Name] = i
	}
	for _, p := range o.parameters {
		other, follows := index[p.Follows]
		if p.Follows == "" || !follows {
			o.follows, o.zeros = append(o.follows, -1), append(o.zeros, Tensor{})
			continue
		}
		o.follows = append(o.follows, other)
		o.zeros = append(o.zeros, o.store.scope.ZerosLike(p.Value))
	}
}

// gradient is that of parameter i: as given, 0 where that is known, else no tensor.
func (o *slots) gradient(gradients []Tensor, i int) Tensor {
	if other := o.follows[i]; !Defined(gradients[i]) && other >= 0 && Defined(gradients[other]) {
		return o.zeros[i]
	}
	return gradients[i]
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

// SetLearningRate implements [Optimizer].
func (o *slots) SetLearningRate(rate float64) { o.rate = rate }

// Step implements [Optimizer].
func (o *slots) Step(s *Scope, gradients []Tensor) {
	if o.check(s, gradients); s.err != nil {
		return
	}
	o.Begin(s)
	o.Apply(s, gradients)
}

// Apply implements [Optimizer].
func (o *slots) Apply(s *Scope, gradients []Tensor) {
	if o.check(s, gradients); s.err != nil {
		return
	}
	c := s.WithoutGradient()
	defer c.Close()
	if which, values, grads := o.changed(gradients); len(which) > 0 {
		o.apply(c, which, values, grads)
	}
}

// LossScale implements [Optimizer].
func (o *slots) LossScale() *LossScale { return o.scale }

// Close frees the state.
func (o *slots) Close() error {
	return errors.Join(o.together.close(), o.scale.Close(), o.store.Close())
}

// slot is the i-th parameter's tensor of the k-th slot.
func (o *slots) slot(k, i int) Tensor { return o.store.list[k*len(o.parameters)+i].Value }

// slotsOf are the tensors of the k-th slot of some parameters.
func (o *slots) slotsOf(k int, which []int) []Tensor {
	list := make([]Tensor, len(which))
	for n, i := range which {
		list[n] = o.slot(k, i)
	}
	return list
}

// changed lists the parameters that have a gradient: their numbers, values and
// gradients.
func (o *slots) changed(gradients []Tensor) (which []int, values, grads []Tensor) {
	for i, p := range o.parameters {
		if g := o.gradient(gradients, i); Defined(g) {
			which, values, grads = append(which, i), append(values, p.Value), append(grads, g)
		}
	}
	return which, values, grads
}

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
	momentum, decay float64
}

// SGDOptions are the constants of [SGD]; momentum and decay default to 0. LossScale is
// the factor of a [LossScale], 0 for none.
type SGDOptions struct{ Rate, Momentum, WeightDecay, LossScale float64 }

// NewSGD makes an optimiser of the given parameters.
func NewSGD(d Device, parameters []Variable, o SGDOptions) (*SGD, error) {
	return newSGD(d, parameters, o, IsCUDA(d))
}

func newSGD(d Device, parameters []Variable, o SGDOptions, together bool) (*SGD, error) {
	state, err := newSlots(d, parameters, together, o.LossScale, "momentum")
	if err != nil {
		return nil, err
	}
	sgd := &SGD{slots: state, momentum: o.Momentum, decay: o.WeightDecay}
	sgd.rule, sgd.rate = sgd, o.Rate
	return sgd, nil
}

// Begin implements [Optimizer].
func (o *SGD) Begin(s *Scope) {
	o.steps++
	o.together.set(s, o.rate)
}

func (o *SGD) apply(c *Scope, which []int, values, grads []Tensor) {
	momenta, t := o.slotsOf(0, which), o.together
	if t != nil {
		grads = c.inLayoutOf(values, grads)
		if t.fused && c.has(fusedSGD) {
			c.Call(fusedSGD, values, grads, momenta, Named{"weight_decay", o.decay}, Named{"momentum", o.momentum},
				Named{"lr", t.numbers[0]}, Named{"dampening", 0.0}, Named{"nesterov", false}, Named{"maximize", false},
				Named{"is_first_step", false}, Named{"found_inf", o.scale.foundInf()})
			return
		}
	}
	before := t.keep(c, o.scale)
	c.Call("aten::_foreach_mul_.Scalar", momenta, o.momentum)
	c.addTogether(momenta, grads, 1)
	if o.decay != 0 {
		c.addTogether(momenta, values, o.decay)
	}
	if t == nil {
		c.addTogether(values, momenta, -o.rate)
		return
	}
	c.Tensor("aten::mul.out", t.slots[0], t.numbers[0], Named{"out", t.change})
	t.skip(c, o.scale, before)
	t.subtract(c, values, which)
}

// Adam (Kingma and Ba 2015) with weight decay added to the gradient.
type Adam struct {
	slots
	beta1, beta2, decay float64
}

// AdamOptions are the constants of [Adam]; betas default to 0.9 and 0.999. LossScale is
// the factor of a [LossScale], 0 for none.
type AdamOptions struct{ Rate, Beta1, Beta2, WeightDecay, LossScale float64 }

const adamEpsilon = 1e-8

// NewAdam makes an optimiser of the given parameters.
func NewAdam(d Device, parameters []Variable, o AdamOptions) (*Adam, error) {
	return newAdam(d, parameters, o, IsCUDA(d))
}

func newAdam(d Device, parameters []Variable, o AdamOptions, together bool) (*Adam, error) {
	if o.Beta1 == 0 {
		o.Beta1 = 0.9
	}
	if o.Beta2 == 0 {
		o.Beta2 = 0.999
	}
	state, err := newSlots(d, parameters, together, o.LossScale, "first_moment", "second_moment")
	if err != nil {
		return nil, err
	}
	adam := &Adam{slots: state, beta1: o.Beta1, beta2: o.Beta2, decay: o.WeightDecay}
	adam.rule, adam.rate = adam, o.Rate
	return adam, nil
}

// Begin implements [Optimizer].
func (o *Adam) Begin(s *Scope) {
	o.steps++
	if o.fused(s) {
		o.together.set(s, o.rate, float64(o.steps))
		return
	}
	rate, unbias := o.constants()
	o.together.set(s, rate, unbias)
}

// constants are the learning rate and the factor of the second moment that
// correct for the moments having started at 0.
func (o *Adam) constants() (rate, unbias float64) {
	correction1 := 1 - math.Pow(o.beta1, float64(o.steps))
	correction2 := 1 - math.Pow(o.beta2, float64(o.steps))
	return o.rate / correction1, 1 / correction2
}

func (o *Adam) apply(c *Scope, which []int, values, grads []Tensor) {
	if o.together != nil {
		o.applyTogether(c, which, values, grads)
		return
	}
	rate, unbias := o.constants()
	for k, i := range which {
		grad, value := grads[k], values[k]
		if o.decay != 0 {
			grad = c.Tensor("aten::add.Tensor", grad, value, Named{"alpha", o.decay})
		}
		first, second := o.slot(0, i), o.slot(1, i)
		c.Tensor("aten::mul_.Scalar", first, o.beta1)
		c.Tensor("aten::add_.Tensor", first, grad, Named{"alpha", 1 - o.beta1})
		c.Tensor("aten::mul_.Scalar", second, o.beta2)
		c.Tensor("aten::addcmul_", second, grad, grad, Named{"value", 1 - o.beta2})
		scale := c.Tensor("aten::sqrt", c.Scale(second, unbias))
		c.Tensor("aten::add_.Scalar", scale, adamEpsilon)
		c.Tensor("aten::addcdiv_", value, first, scale, Named{"value", -rate})
	}
}

// ClipGradients scales gradients so that their common Euclidean norm is at most
// limit, and returns the norm before that as a tensor (no value is waited for). A
// limit of 0 changes nothing. Missing gradients are passed over. Gradients are
// scaled in place; on a CUDA device with a libtorch before 2.1 the list then holds
// others.
func (s *Scope) ClipGradients(gradients []Tensor, limit float64) Tensor {
	c := s.WithoutGradient()
	defer c.Close()
	var norms []Tensor
	present := onlyDefined(gradients)
	if len(present) == 0 {
		return c.Return(c.Full(CPU(), 0))
	}
	if IsCUDA(c.Device(present[0])) {
		return c.Return(c.clipTogether(gradients, present, limit))
	}
	for _, grad := range present {
		norms = append(norms, c.Tensor("aten::linalg_vector_norm", grad))
	}
	norm := c.Tensor("aten::linalg_vector_norm", c.Stack(norms, 0))
	if limit > 0 {
		ratio := c.Tensor("aten::reciprocal", c.Tensor("aten::add.Scalar", norm, 1e-6))
		factor := c.Tensor("aten::clamp", c.Scale(ratio, limit), nil, 1.0)
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
