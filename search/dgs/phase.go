package dgs

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/spikedhs/spikedhs/torch"
)

// Phase is a search in progress: the for-loop over j in Algorithm 1.
type Phase struct {
	layers  []*Layer
	options Options
	state   State
	alphas  [][]float64 // of the last iteration
}

// State is what a search needs to go on after a restart, beside the network with
// its temperatures. Nothing in it depends on the machine or the clock.
type State struct {
	// Layers are the names of the searched layers.
	Layers []string `json:"layers"`
	// Iteration is the number of iterations done.
	Iteration int `json:"iteration"`
	// Shares are the sums of softmax(alpha), by layer and candidate.
	Shares [][]float64 `json:"shares"`
	// Passes are those done.
	Passes Passes `json:"passes"`
}

// Result is what a search found for a layer.
type Result struct {
	// Layer is its name.
	Layer string
	// Before and After are its temperatures, their mean where it has several.
	Before, After float64
	// Temperatures are those of the candidates, and Shares the means of their
	// softmax(alpha), which sum to 1.
	Temperatures, Shares []float64
	// Chosen is the candidate with the largest share; of equal ones the nearest to
	// Before. After is its temperature within the bounds of the options.
	Chosen int
}

// New begins a search on some layers, which are searched side by side. Each has
// candidates of its own, made while the others keep their temperatures.
func New(layers []*Layer, o Options) (*Phase, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	p := &Phase{layers: layers, options: o.withDefaults()}
	if len(layers) == 0 {
		return nil, fmt.Errorf("dgs: no layer to search: %w", ErrOptions)
	}
	for _, l := range layers {
		if slices.Contains(p.state.Layers, l.Name) {
			return nil, fmt.Errorf("dgs: layer %s is given twice: %w", l.Name, ErrOptions)
		}
		if err := p.check(l); err != nil {
			return nil, err
		}
		p.state.Layers = append(p.state.Layers, l.Name)
		p.state.Shares = append(p.state.Shares, make([]float64, p.options.Candidates))
	}
	return p, nil
}

// check makes sure that a layer can be searched.
func (p *Phase) check(l *Layer) error {
	switch {
	case l.Current == nil || l.Steps < 1 || !torch.Defined(l.Temperature.Of):
		return fmt.Errorf("dgs: layer %s lacks a current, steps or a temperature: %w", l.Name, ErrOptions)
	case len(l.Parameters) == 0:
		return fmt.Errorf("dgs: layer %s has no weights of its own, so its surrogate changes none: %w", l.Name, ErrOptions)
	}
	b, err := l.TemperatureValue()
	if err != nil {
		return err
	}
	if lowest := b + p.options.offset(0); lowest <= 0 {
		return fmt.Errorf("dgs: layer %s has temperature %.4g, so that a candidate is %.4g; take a smaller delta or fewer candidates: %w",
			l.Name, b, lowest, ErrOptions)
	}
	return nil
}

// Resume continues a search from its state.
func Resume(layers []*Layer, o Options, from State) (*Phase, error) {
	p, err := New(layers, o)
	if err != nil {
		return nil, err
	}
	odd := func(shares []float64) bool { return len(shares) != p.options.Candidates }
	fits := slices.Equal(from.Layers, p.state.Layers) && len(from.Shares) == len(layers) && !slices.ContainsFunc(from.Shares, odd)
	if !fits || from.Iteration < 0 || from.Iteration > p.options.Iterations {
		return nil, fmt.Errorf("dgs: the saved search of %v at iteration %d is not one of these layers and options: %w", from.Layers, from.Iteration, ErrOptions)
	}
	p.state = from.clone()
	return p, nil
}

// State is a copy of where the search stands.
func (p *Phase) State() State { return p.state.clone() }

func (s State) clone() State {
	s.Layers, s.Shares = slices.Clone(s.Layers), slices.Clone(s.Shares)
	for i, shares := range s.Shares {
		s.Shares[i] = slices.Clone(shares)
	}
	return s
}

// Iteration is the number of iterations done.
func (p *Phase) Iteration() int { return p.state.Iteration }

// Iterations is I_g.
func (p *Phase) Iterations() int { return p.options.Iterations }

// Done tells whether all iterations are done.
func (p *Phase) Done() bool { return p.state.Iteration >= p.options.Iterations }

// Passes is what the search has cost so far.
func (p *Phase) Passes() Passes { return p.state.Passes }

// Alphas are the alpha of the last iteration after their step, by layer and
// candidate; nil before the first and after Resume.
func (p *Phase) Alphas() [][]float64 { return p.alphas }

// Step does one iteration on one batch. It leaves weights, temperatures and what
// [Options].Keep names as they were, also when it fails.
func (p *Phase) Step(loss Loss) error {
	if p.Done() {
		return fmt.Errorf("dgs: all %d iterations are done: %w", p.options.Iterations, ErrOptions)
	}
	s := torch.NewScope()
	back := keep(s, p.options.Keep)
	p.iterate(s, loss)
	back()
	if err := s.Close(); err != nil {
		return fmt.Errorf("dgs: iteration %d: %w", p.state.Iteration+1, err)
	}
	p.state.Iteration++
	return nil
}

// keep returns a function that puts tensors back as they are now.
func keep(s *torch.Scope, tensors []Tensor) (back func()) {
	c := s.WithoutGradient()
	copies := make([]Tensor, len(tensors))
	for i, t := range tensors {
		copies[i] = c.Clone(t)
	}
	kept := c.Err() == nil
	return func() {
		if kept {
			for i, t := range tensors {
				put(t, copies[i])
			}
		}
		c.Close()
	}
}

// iterate is one iteration of Algorithm 1: it finds the candidates' weights, mixes them
// (eq. 7), and steps alpha.
func (p *Phase) iterate(s *torch.Scope, loss Loss) {
	weights := p.candidates(s, loss)
	alphas := make([]Tensor, len(p.layers))
	for k, l := range p.layers {
		alphas[k] = p.newAlpha(s, l)
		l.mixture = &mixture{weights: weights[k], alpha: alphas[k]}
	}
	defer func() {
		for _, l := range p.layers {
			l.mixture = nil
		}
	}()
	if s.Err() != nil {
		return
	}
	value := loss(s)
	for _, l := range p.layers {
		l.reached(s, l.mixture.calls)
	}
	gradients := p.options.scale().gradients(s, value, alphas)
	p.state.Passes.Network++
	if s.Err() != nil {
		return
	}
	stepped := make([][]float64, len(p.layers))
	for k, l := range p.layers {
		var err error
		stepped[k], err = p.stepAlpha(l, gradients[k])
		s.Fail(err)
	}
	if s.Err() != nil {
		return
	}
	p.alphas = stepped
	for k := range p.layers {
		for i, share := range softmax(stepped[k]) {
			p.state.Shares[k][i] += share
		}
	}
}

// newAlpha is alpha as every iteration begins with it.
func (p *Phase) newAlpha(s *torch.Scope, l *Layer) Tensor {
	c := s.WithoutGradient()
	defer c.Close()
	alpha := c.Full(c.Device(l.Temperature.Of), p.options.Epsilon, int64(p.options.Candidates))
	c.Fail(torch.RequireGradient(alpha, true))
	return c.Return(alpha)
}

// adamEpsilon is Adam's own.
const adamEpsilon = 1e-8

// stepAlpha is the first step of Adam from alpha = epsilon: its corrected moments
// are the gradient and its square, so alpha_i = epsilon - rate g_i / (|g_i| + 1e-8).
// It is done here in float64: where several g_i are large, the alphas differ in
// late digits only, and these decide between candidates.
func (p *Phase) stepAlpha(l *Layer, gradient Tensor) ([]float64, error) {
	if !torch.Defined(gradient) {
		return nil, fmt.Errorf("layer %s: the loss does not depend on its current", l.Name)
	}
	values, err := torch.ToSlice[float32](gradient)
	if err != nil {
		return nil, fmt.Errorf("layer %s: read the gradient of alpha: %w", l.Name, err)
	}
	alpha := make([]float64, len(values))
	for i, v := range values {
		g := float64(v)
		if math.IsNaN(g) || math.IsInf(g, 0) {
			return nil, fmt.Errorf("layer %s: the gradient of alpha is %v: the training diverged; try a lower learning rate", l.Name, g)
		}
		alpha[i] = p.options.Epsilon - p.options.AlphaRate*g/(math.Abs(g)+adamEpsilon)
	}
	return alpha, nil
}

// Finish gives every layer the temperature of its best candidate: the last line of
// Algorithm 1 in an epoch.
func (p *Phase) Finish() ([]Result, error) {
	if !p.Done() {
		return nil, fmt.Errorf("dgs: %d of %d iterations are done: %w", p.state.Iteration, p.options.Iterations, ErrOptions)
	}
	results := make([]Result, len(p.layers))
	for k, l := range p.layers {
		r := Result{Layer: l.Name}
		var err error
		if r.Before, err = l.TemperatureValue(); err != nil {
			return nil, err
		}
		r.Chosen = p.best(k)
		for i, sum := range p.state.Shares[k] {
			r.Temperatures = append(r.Temperatures, r.Before+p.options.offset(i))
			r.Shares = append(r.Shares, sum/float64(p.state.Iteration))
		}
		s := torch.NewInference()
		b := l.Temperature.rows(s, l.Temperature.Of)
		moved := s.Tensor("aten::add.Scalar", b, p.options.offset(r.Chosen))
		s.CopyTo(b, s.Tensor("aten::clamp", moved, p.options.Min, p.options.Max))
		if err := s.Close(); err != nil {
			return nil, fmt.Errorf("dgs: temperature of %s: %w", l.Name, err)
		}
		if r.After, err = l.TemperatureValue(); err != nil {
			return nil, err
		}
		results[k] = r
	}
	return results, nil
}

// best is the candidate of layer k with the largest share, of equal ones the
// nearest to the middle.
func (p *Phase) best(k int) int {
	sums, middle := p.state.Shares[k], (p.options.Candidates-1)/2
	best := middle
	for distance := 1; distance <= middle; distance++ {
		for _, i := range []int{middle - distance, middle + distance} {
			if sums[i] > sums[best] {
				best = i
			}
		}
	}
	return best
}

// Batches gives the loss of iteration i, from 0 on. What it puts into s lives as
// long as the iteration.
type Batches func(ctx context.Context, s *torch.Scope, i int) (Loss, error)

// Search does a whole search: [Options].Iterations iterations, then the new
// temperatures. When ctx ends it stops between two iterations with the context's
// error and changes nothing.
func Search(ctx context.Context, layers []*Layer, batches Batches, o Options) ([]Result, error) {
	defer torch.Pin()()
	p, err := New(layers, o)
	if err != nil {
		return nil, err
	}
	for !p.Done() {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("dgs: after %d of %d iterations: %w", p.state.Iteration, p.options.Iterations, err)
		}
		s := torch.NewInference()
		loss, err := batches(ctx, s, p.state.Iteration)
		if err == nil {
			err = p.Step(loss)
		}
		if err = errors.Join(err, s.Close()); err != nil {
			return nil, err
		}
	}
	return p.Finish()
}
