package search

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// drawnCell is a random cell, decoded or mixed, somewhere in a network, with its inputs.
type drawnCell struct {
	*Cell
	options   Options
	variables *torch.Variables
	inputs    []torch.Tensor
}

func drawCell(t *testing.T, s *torch.Scope, seed uint64, mixed bool) drawnCell {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	w := everywhere[rng.IntN(len(everywhere))]
	c := drawnCell{options: tinyOptions(0), variables: torch.NewVariables(torch.CPU())}
	t.Cleanup(func() { require.NoError(t, c.variables.Close()) })
	o := &c.options
	o.Width, o.PerStepNorm, o.FewLaunches = 2+rng.IntN(4), rng.IntN(2) == 0, mixed
	if rng.IntN(2) == 0 {
		o.Mixing = MixSpike
	}
	nodes := 1 + rng.IntN(4)
	at := w.place(nodes, o.Width)
	c.inputs = []torch.Tensor{w.input(t, s, 0), w.input(t, s, 1)}
	if mixed {
		c.Cell = newMixedCell(c.variables.Root(), at, nodes, o)
		alpha := s.Randn(torch.CPU(), int64(genotype.Edges(nodes)), 3)
		require.NoError(t, torch.RequireGradient(alpha, true))
		c.inputs = slices.Insert(c.inputs, 0, alpha)
	} else {
		g, err := genotype.Random(rng, nodes, genotype.DownsampleNearest)
		require.NoError(t, err)
		c.Cell = newCell(c.variables.Root(), at, g.Normal(), o)
	}
	require.NoError(t, c.variables.Err())
	unsettle(t, s, c.variables)
	return c
}

// trains gives what a form computes in training, and its gradients; the variables stay.
func (c drawnCell) trains(t *testing.T, s *torch.Scope, form *graph.Graph) (y torch.Tensor, gradients []torch.Tensor) {
	t.Helper()
	keep := s.WithoutGradient()
	var before []torch.Tensor
	for _, x := range c.variables.All() {
		before = append(before, keep.Clone(x.Value))
	}
	p := Pass{Scope: s, Mode: torch.Train}
	y = form.Forward(s, &p, c.options.Steps, c.inputs...)[0]
	require.NoError(t, torch.Seed(7))
	loss := weigh(s, y, s.Randn(torch.CPU(), s.Shape(y)...))
	gradients = s.GradientOf(loss, append(torch.Tensors(c.variables.Parameters()), c.inputs...))
	for i, x := range c.variables.All() {
		keep.CopyTo(x.Value, before[i])
	}
	require.NoError(t, keep.Close())
	require.NoError(t, s.Err())
	return y, gradients
}

// same compares a form with the layers.
func (c drawnCell) same(t *testing.T, s *torch.Scope, form *graph.Graph) {
	t.Helper()
	want, wantGradients := c.trains(t, s, c.layers)
	have, haveGradients := c.trains(t, s, form)
	assert.Equal(t, read(t, want), read(t, have))
	of := c.variables.Parameters()
	for range c.inputs {
		of = append(of, torch.Variable{Name: "input"})
	}
	for i, x := range of {
		if torch.Defined(haveGradients[i]) && !strings.HasSuffix(x.Name, "conv.bias") { // 0 but for rounding
			requireWithin(t, 5e-5, wantGradients[i], haveGradients[i], "gradient of "+x.Name)
		}
	}
}

// Every rewrite of a random cell computes what its layers do, forward and backward.
func TestFormsOfRandomCells(t *testing.T) {
	for seed := range uint64(40) {
		mixed := seed%2 == 1
		t.Run(fmt.Sprint(seed, " mixed=", mixed), func(t *testing.T) {
			s := begin(t, seed)
			c := drawCell(t, s, seed, mixed)
			if mixed {
				require.NotNil(t, c.few)
				c.same(t, s, c.few)
				for _, x := range torch.Tensors(c.variables.Parameters()) { // the operator adds every bias
					require.True(t, torch.Defined(x))
				}
			} else if torch.CPUKernels("cell") {
				c.same(t, s, c.fused)
			}
		})
	}
}

// The fold of a random cell computes what its layers do in evaluation.
func TestFoldsOfRandomCells(t *testing.T) {
	for seed := range uint64(20) {
		s := begin(t, 100+seed)
		c := drawCell(t, s, 100+seed, false)
		pass := Pass{Scope: s, Mode: torch.Evaluate}
		want := c.layers.Forward(s, &pass, c.options.Steps, c.inputs...)[0]
		p := &Lowering{Program: graph.New(graph.Spec{
			Steps: c.options.Steps, Neuron: spike.LIF{Tau: c.options.Neuron.Tau, Threshold: c.options.Neuron.Threshold}, Inputs: []string{"s0", "s1"},
		})}
		_, err := p.Fold(c.layers, graph.Input(0), graph.Input(1))
		require.NoError(t, err)
		have := p.Run(s, c.inputs...)
		require.NoError(t, s.Err())
		assert.Equal(t, read(t, want), read(t, have), "spikes are the same")
		assert.Equal(t, len(c.layers.Flat().Nodes()), len(c.layers.Nodes()), "nothing is nested")
		require.NoError(t, p.Close())
	}
}
