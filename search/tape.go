package search

import "github.com/spikedhs/spikedhs/torch"

// Tape lets a training pass leave out what the backward pass needs of the inside of its
// cells ([Options].Recompute): a cell is computed without gradients, and once more, with
// them, when its gradient is taken. So one cell at a time has its inside in memory.
//
//	tape := search.NewTape(s)
//	out := network.Forward(search.Pass{Scope: s, Mode: torch.Train, Tape: tape}, images)
//	gradients := tape.GradientOf(s, loss(out), leaves)
//
// Running averages see each batch once. The gradients are those of a pass without a
// tape: of leaves that belong to one cell to the bit, of others but for the order of sums.
type Tape struct {
	scope  *torch.Scope // of what must last from the forward to the backward pass
	events []event
	cuts   map[torch.Tensor]*cut
	made   map[torch.Tensor]*taped // cells by their output
}

// event is a taped cell or a cut, in the order of the forward pass.
type event interface {
	// back hands the gradient that has arrived on to what came before.
	back(w *rewind)
}

// cut is a tensor that cells read, with the sum of what they say of its gradient.
type cut struct {
	source torch.Tensor // with its graph
	maker  *taped       // or the cell that made it
	grad   torch.Tensor
}

// taped is a cell that was computed without gradients.
type taped struct {
	pass   Pass
	work   func(Pass, []torch.Tensor) torch.Tensor
	inputs []torch.Tensor // without their graphs; no tensor where there is none
	cuts   []*cut         // of the inputs
	output torch.Tensor   // a leaf
	grad   torch.Tensor
}

// NewTape makes a tape for one pass, whose tensors belong to s.
func NewTape(s *torch.Scope) *Tape {
	return &Tape{scope: s, cuts: map[torch.Tensor]*cut{}, made: map[torch.Tensor]*taped{}}
}

// run does a cell's work, the later inputs read last, and returns what it makes.
func (t *Tape) run(p Pass, inputs []torch.Tensor, work func(Pass, []torch.Tensor) torch.Tensor) torch.Tensor {
	p.Tape = nil
	c := &taped{pass: p, work: work}
	for _, x := range inputs {
		if !torch.Defined(x) {
			c.inputs, c.cuts = append(c.inputs, torch.Tensor{}), append(c.cuts, nil)
			continue
		}
		c.inputs, c.cuts = append(c.inputs, t.scope.Detach(x)), append(c.cuts, t.cut(x))
	}
	plain := p.Scope.WithoutGradient()
	y := plain.Return(work(p.in(plain), c.inputs))
	if plain.Close() != nil {
		return torch.Tensor{}
	}
	t.require(y)
	c.output = t.scope.Alias(y)
	t.events = append(t.events, c)
	t.made[y] = c
	return y
}

// require makes x a leaf that wants a gradient.
func (t *Tape) require(x torch.Tensor) {
	if err := torch.RequireGradient(x, true); err != nil {
		t.scope.Fail(err)
	}
}

// cut is the one of x, which may be the output of a taped cell.
func (t *Tape) cut(x torch.Tensor) *cut {
	c, ok := t.cuts[x]
	if !ok {
		c = &cut{maker: t.made[x]}
		if c.maker == nil {
			c.source = t.scope.Alias(x)
		}
		t.cuts[x] = c
		t.events = append(t.events, c)
	}
	return c
}

// GradientOf is [torch.Scope.GradientOf] of the loss of a taped pass. It can be called
// once. A nil Tape is that of a pass without one.
func (t *Tape) GradientOf(s *torch.Scope, loss torch.Tensor, leaves []torch.Tensor) []torch.Tensor {
	if t == nil || len(t.events) == 0 {
		return s.GradientOf(loss, leaves)
	}
	w := &rewind{
		scope: s, leaves: leaves, grads: make([]torch.Tensor, len(leaves)), targets: leaves[:len(leaves):len(leaves)],
	}
	for _, e := range t.events {
		if c, ok := e.(*taped); ok {
			w.targets, w.cells = append(w.targets, c.output), append(w.cells, c)
		}
	}
	w.through(loss, s.Tensor("aten::ones_like", loss))
	for i := len(t.events) - 1; i >= 0 && s.Err() == nil; i-- {
		t.events[i].back(w)
	}
	return w.grads
}

// rewind is the backward pass over a tape.
type rewind struct {
	scope   *torch.Scope
	leaves  []torch.Tensor
	grads   []torch.Tensor // of the leaves so far
	targets []torch.Tensor // the leaves, and the outputs of all cells
	cells   []*taped       // of these outputs
}

// through takes a gradient that arrives at y through what lies between the cells, whose
// graphs are kept since several may share them.
func (w *rewind) through(y, grad torch.Tensor) {
	for i, g := range w.scope.GradientThrough(y, grad, w.targets, true) {
		if i < len(w.leaves) {
			w.add(&w.grads[i], g)
		} else {
			w.add(&w.cells[i-len(w.leaves)].grad, g)
		}
	}
}

// add sums a gradient, which may be none.
func (w *rewind) add(sum *torch.Tensor, g torch.Tensor) {
	switch {
	case !torch.Defined(g):
	case !torch.Defined(*sum):
		*sum = g
	default:
		both := w.scope.Add(*sum, g)
		w.scope.Free(*sum)
		w.scope.Free(g)
		*sum = both
	}
}

func (c *cut) back(w *rewind) {
	switch {
	case !torch.Defined(c.grad):
	case c.maker != nil:
		w.add(&c.maker.grad, c.grad)
	default:
		w.through(c.source, c.grad)
	}
}

// back computes the cell once more.
func (c *taped) back(w *rewind) {
	if !torch.Defined(c.grad) {
		return
	}
	s := w.scope.Child()
	defer s.Close()
	inputs := make([]torch.Tensor, len(c.inputs))
	leaves := w.leaves[:len(w.leaves):len(w.leaves)]
	for i, x := range c.inputs {
		if c.cuts[i] == nil {
			continue
		}
		inputs[i] = s.Detach(x)
		if err := torch.RequireGradient(inputs[i], true); err != nil {
			s.Fail(err)
		}
		leaves = append(leaves, inputs[i])
	}
	pass := c.pass.in(s)
	pass.again = true
	grads := s.GradientThrough(c.work(pass, inputs), c.grad, leaves, false)
	if s.Err() != nil {
		return
	}
	for i := range w.leaves {
		w.add(&w.grads[i], s.Return(grads[i]))
	}
	last := len(leaves) - 1
	for i := len(inputs) - 1; i >= 0; i-- { // as they would arrive without a tape
		if c.cuts[i] != nil {
			w.add(&c.cuts[i].grad, s.Return(grads[last]))
			last--
		}
	}
	w.scope.Free(c.grad)
}
