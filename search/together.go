package search

import (
	"maps"
	"math"
	"slices"

	"github.com/spikedhs/spikedhs/torch"
)

// together is what a pass does once for all layers of a network, where each layer
// would launch kernels of its own. The nil pointer does everything layer by layer.
type together struct {
	weights map[*torch.Conv]torch.Tensor // in the type that they compute in
	tiles   map[*torch.StepNorm]affine   // for all steps
	moved   map[int][]*torch.StepNorm    // by steps: whose running statistics are to move
	shifts  map[int]*shifts              // by updates of the mean in a pass
	pending map[torch.Tensor]struct{}    // running means in moved or shifts
}

// affine are the parameters of a normalisation.
type affine struct{ weight, bias torch.Tensor }

// shifts are biases that running means have to take up.
type shifts struct{ means, biases []torch.Tensor }

func newTogether() *together {
	return &together{
		weights: map[*torch.Conv]torch.Tensor{}, tiles: map[*torch.StepNorm]affine{},
		moved: map[int][]*torch.StepNorm{}, shifts: map[int]*shifts{}, pending: map[torch.Tensor]struct{}{},
	}
}

// fewLaunches tells whether what is made on a device takes the form that launches few
// kernels.
func (o *Options) fewLaunches(d torch.Device) bool { return o.FewLaunches || torch.IsCUDA(d) }

// Together prepares a pass over a whole network with the variables v. On a device the
// weights of all convolutions are cast at once to the type that they compute in, and
// the running statistics of all normalisations change at once, when the pass is over
// and the caller calls done. Without it the layers do the same one by one. On the CPU
// it changes nothing.
func (o *Options) Together(p Pass, v *torch.Variables) (of Pass, done func()) {
	if !o.fewLaunches(v.Device()) {
		return p, func() {}
	}
	t := newTogether()
	t.cast(p.Scope, v.Convolutions())
	if p.Mode == torch.Train {
		t.tile(p.Scope, v.StepNorms())
	}
	p.together = t
	return p, func() { t.done(p.Scope) }
}

// begin is [Options.Together] of a network of images.
func (o *Options) begin(p Pass, v *torch.Variables, images torch.Tensor) (of Pass, done func()) {
	if shape := p.Scope.Shape(images); len(shape) == 4 {
		height, width := o.behindStem(int(shape[2]), int(shape[3]))
		p.grid = [2]int64{int64(height), int64(width)}
	}
	return o.Together(p, v)
}

// cast fills weights.
func (t *together) cast(s *torch.Scope, all []*torch.Conv) {
	byType := map[int8][]*torch.Conv{}
	for _, c := range all {
		if dtype := c.Options.Compute; dtype != 0 {
			byType[dtype] = append(byType[dtype], c)
		}
	}
	for _, dtype := range slices.Sorted(maps.Keys(byType)) {
		list := byType[dtype]
		weights := make([]torch.Tensor, len(list))
		for i, c := range list {
			weights[i] = c.Weight
		}
		for i, weight := range s.CastTogether(weights, dtype) {
			t.weights[list[i]] = weight
		}
	}
}

// tile fills tiles.
func (t *together) tile(s *torch.Scope, all []*torch.StepNorm) {
	bySteps := map[int][]*torch.StepNorm{}
	for _, n := range all {
		bySteps[n.Steps] = append(bySteps[n.Steps], n)
	}
	for _, steps := range slices.Sorted(maps.Keys(bySteps)) {
		list := bySteps[steps]
		for i, tile := range tilesOf(s, list) {
			t.tiles[list[i]] = tile
		}
	}
}

// tilesOf are the parameters of normalisations of as many steps, for all of them.
func tilesOf(s *torch.Scope, list []*torch.StepNorm) []affine {
	var parameters []torch.Tensor
	for _, n := range list {
		parameters = append(parameters, n.Weight, n.Bias)
	}
	parts := s.TileTogether(parameters, list[0].Steps)
	tiles := make([]affine, len(list))
	for i := range tiles {
		if 2*i+1 < len(parts) { // there are none after a failure
			tiles[i] = affine{parts[2*i], parts[2*i+1]}
		}
	}
	return tiles
}

// weight is that of a convolution, cast where it was cast before.
func (t *together) weight(c *torch.Conv) torch.Tensor {
	if t != nil {
		if weight, ok := t.weights[c]; ok {
			return weight
		}
	}
	return c.Weight
}

// eachStep normalises with the statistics of each step; the running ones are to move
// later.
func (t *together) eachStep(s *torch.Scope, n *torch.StepNorm, x torch.Tensor) torch.Tensor {
	if t == nil {
		alone := newTogether()
		defer alone.done(s)
		return alone.eachStep(s, n, x)
	}
	tile, ok := t.tiles[n]
	if !ok {
		tile = tilesOf(s, []*torch.StepNorm{n})[0]
	}
	t.settle(s, n.Mean)
	y := n.Train(s, x, tile.weight, tile.bias)
	t.moved[n.Steps] = append(t.moved[n.Steps], n)
	t.pending[n.Mean] = struct{}{}
	return y
}

// shift has the running mean of n, behind a convolution without its bias, take that up.
func (t *together) shift(s *torch.Scope, n norm, bias torch.Tensor) {
	if t == nil {
		alone := newTogether()
		defer alone.done(s)
		alone.shift(s, n, bias)
		return
	}
	if t.shifts[n.steps] == nil {
		t.shifts[n.steps] = &shifts{}
	}
	of := t.shifts[n.steps]
	of.means, of.biases = append(of.means, n.Mean), append(of.biases, bias)
	t.pending[n.Mean] = struct{}{}
}

// settle does what is to be done to a running mean before its layer runs again.
func (t *together) settle(s *torch.Scope, mean torch.Tensor) {
	if t == nil {
		return
	}
	if _, ok := t.pending[mean]; ok {
		t.done(s)
	}
}

// done changes the running statistics: as if each step had updated them, and each had
// seen the bias, whose share in the mean grows with the updates.
func (t *together) done(s *torch.Scope) {
	c := s.WithoutGradient()
	defer c.Close()
	for _, steps := range slices.Sorted(maps.Keys(t.moved)) {
		c.MoveStatistics(t.moved[steps])
	}
	for _, updates := range slices.Sorted(maps.Keys(t.shifts)) {
		of := t.shifts[updates]
		c.ShiftMeans(of.means, of.biases, 1-math.Pow(1-torch.BatchNormMomentum, float64(updates)))
	}
	clear(t.moved)
	clear(t.shifts)
	clear(t.pending)
}
