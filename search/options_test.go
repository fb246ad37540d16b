package search

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
)

func TestOptionsThatMakeNoNetwork(t *testing.T) {
	begin(t, 1)
	for text, change := range map[string]func(*Options){
		"channels must be positive, is 0":                                func(o *Options) { o.Channels = 0 },
		"classes must be positive, is -1":                                func(o *Options) { o.Classes = -1 },
		"width must be positive, is 0":                                   func(o *Options) { o.Width = 0 },
		"steps must be positive, is 0":                                   func(o *Options) { o.Steps = 0 },
		"at least one cell":                                              func(o *Options) { o.Levels = nil },
		"level of cell 0 is 2 after 0":                                   func(o *Options) { o.Levels = []int{2} },
		"level of cell 1 is -1 after 0":                                  func(o *Options) { o.Levels = []int{0, -1} },
		"level of cell 2 is 0 after 2":                                   func(o *Options) { o.Levels = []int{1, 2, 0} },
		"level of cell 2 is 3 after 1":                                   func(o *Options) { o.Levels = []int{0, 1, 3} },
		"level of cell 0 is -1 after 0":                                  func(o *Options) { o.Levels = []int{-1} },
		`mixing "sum", want "spike" or "membrane"`:                       func(o *Options) { o.Mixing = "sum" },
		`head "", want "lif" or "rate"`:                                  func(o *Options) { o.Head = "" },
		`stem "tanh", want "dspike" or "relu"`:                           func(o *Options) { o.Stem = "tanh" },
		"temperature must be positive, is 0":                             func(o *Options) { o.Temperature = 0 },
		"tau must not be negative, is -0.1":                              func(o *Options) { o.Neuron.Tau = -0.1 },
		`activation "tanh", want "lif" or "relu"`:                        func(o *Options) { o.Activation = "tanh" },
		`"relu" knows no time: steps must be 1, not 3`:                   func(o *Options) { o.Activation = ActivationReLU },
		"strides of the stem are [2 4], want 1 to 3":                     func(o *Options) { o.StemStrides = []int{2, 4} },
		"strides of the stem are [0], want 1 to 3":                       func(o *Options) { o.StemStrides = []int{0} },
		`precision "half", want one of ["float32" "bfloat16" "float16"]`: func(o *Options) { o.Precision = "half" },
	} {
		o := tinyOptions(0)
		require.NoError(t, o.Validate())
		change(&o)
		err := o.Validate()
		require.ErrorIs(t, err, ErrOptions, text)
		assert.ErrorContains(t, err, text)
		n, err := NewNetwork(torch.CPU(), wired(t, twoNodes, nil), o)
		assert.ErrorIs(t, err, ErrOptions)
		assert.Nil(t, n)
		super, err := NewSupernet(torch.CPU(), 2, genotype.DownsampleNearest, o)
		assert.ErrorIs(t, err, ErrOptions)
		assert.Nil(t, super)
	}
}

func TestSupernetNeedsNodes(t *testing.T) {
	begin(t, 1)
	for _, nodes := range []int{0, -1, genotype.MaxNodes + 1} {
		_, err := NewSupernet(torch.CPU(), nodes, genotype.DownsampleNearest, tinyOptions(0))
		require.ErrorIs(t, err, ErrOptions)
	}
}

func TestNetworkOfAnInvalidGenotype(t *testing.T) {
	begin(t, 1)
	g := wired(t, twoNodes, nil)
	g.Subnets[0].Cell.Edges = g.Normal().Edges[:3]
	_, err := NewNetwork(torch.CPU(), g, tinyOptions(0))
	require.ErrorIs(t, err, genotype.ErrInvalid)
	_, err = NewNetwork(torch.CPU(), genotype.Genotype{}, tinyOptions(0))
	require.ErrorIs(t, err, genotype.ErrInvalid)
}
