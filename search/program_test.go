package search

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/export"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
)

// shape of a network and its images.
type variant struct {
	genotype      genotype.Genotype
	options       Options
	height, width int
	pad           int
}

func (v variant) String() string {
	name := fmt.Sprintf("%s %s %s %s %dx%d+%d", v.genotype.Downsample(), v.options.Mixing, v.options.Head, v.options.Stem,
		v.height, v.width, v.pad)
	if len(v.options.StemStrides) > 0 {
		name += fmt.Sprint(" stem ", v.options.StemStrides)
	}
	if v.options.Neuron.Tau == 0 {
		name += " binary"
	}
	if !slices.IsSorted(v.options.Levels) {
		name += fmt.Sprint(" path ", v.options.Levels)
	}
	return name + string(v.options.Activation)
}

func (v variant) input() Input {
	return Input{Height: v.height, Width: v.width, Pad: v.pad, Mean: []float64{0.4, 0.3}, Deviation: []float64{0.2, 0.3}}
}

// variants are all forms of a network, on even and odd grids. Levels 0, 1, 2 make
// a cell whose s0 is two levels above it.
func variants(t *testing.T) []variant {
	var list []variant
	for _, g := range []genotype.Genotype{wired(t, threeNodes, nil), wired(t, fourNodes, twoNodesTwice)} {
		for _, mixing := range []Mixing{MixSpike, MixMembrane} {
			for _, head := range []Head{HeadLIF, HeadRate} {
				for _, stem := range []Stem{StemSpike, StemReLU} {
					for _, size := range [][3]int{{8, 8, 2}, {17, 13, 0}} {
						o := tinyOptions(0, 1, 2, 2)
						o.Channels, o.Mixing, o.Head, o.Stem, o.Auxiliary = 2, mixing, head, stem, true
						list = append(list, variant{g, o, size[0], size[1], size[2]})
					}
				}
			}
		}
	}
	// Two and three layers of stem; the binary neuron; the ANN; statistics of each step.
	for _, g := range []genotype.Genotype{wired(t, threeNodes, nil), wired(t, fourNodes, twoNodesTwice)} {
		for i, change := range []func(*Options){
			func(o *Options) { o.StemStrides = []int{2, 1} },
			func(o *Options) { o.StemStrides, o.Mixing, o.PerStepNorm = []int{1, 2, 2}, MixSpike, true },
			func(o *Options) { o.StemStrides, o.Stem = []int{2, 2}, StemReLU },
			func(o *Options) { o.Neuron.Tau = 0 },
			func(o *Options) { o.Activation, o.Steps, o.Stem = ActivationReLU, 1, StemReLU },
			func(o *Options) {
				o.Activation, o.Steps, o.Stem, o.Mixing, o.StemStrides = ActivationReLU, 1, StemReLU, MixSpike, []int{2, 1}
			},
		} {
			o := tinyOptions(0, 1, 2, 2)
			o.Channels, o.Head, o.Auxiliary = 2, HeadRate, true
			if i%2 == 0 {
				o.Head = HeadLIF
			}
			change(&o)
			list = append(list, variant{g, o, 17, 13, 1})
		}
	}
	// Paths that go up again, on odd grids behind stems with strides and borders; an
	// input two levels below its reader.
	for _, change := range []func(*Options){
		func(o *Options) { o.Levels = []int{1, 2, 1, 0} },
		func(o *Options) { o.Levels, o.StemStrides, o.Head = []int{1, 0, 1, 2, 3, 2}, []int{2, 1}, HeadRate },
		func(o *Options) { o.Levels, o.Mixing, o.Stem = []int{0, 1, 0}, MixSpike, StemReLU },
	} {
		for _, size := range [][3]int{{17, 13, 1}, {9, 20, 0}} {
			o := tinyOptions()
			o.Channels, o.Auxiliary = 2, true
			change(&o)
			list = append(list, variant{wired(t, threeNodes, nil), o, size[0], size[1], size[2]})
		}
	}
	return list
}

var twoNodesTwice = [][2]int{{0, 1}, {1, 0}, {4, 0}, {2, 2}, {5, 1}, {6, 2}, {9, 1}, {12, 0}}

// trained makes the network of v with running statistics that have moved.
func (v variant) trained(t *testing.T, s *torch.Scope) *Network {
	t.Helper()
	n := newNetwork(t, v.genotype, v.options)
	unsettle(t, s, n.Variables())
	v.train(t, s, n, 2)
	return n
}

// train does steps of plain gradient descent.
func (v variant) train(t *testing.T, s *torch.Scope, n *Network, steps int) {
	t.Helper()
	for range steps {
		c := s.Child()
		x := c.Randn(torch.CPU(), 3, 2, int64(v.height+2*v.pad), int64(v.width+2*v.pad))
		out := n.Forward(Pass{Scope: c, Mode: torch.Train}, x)
		loss := c.CrossEntropy(c.Add(out.Logits, out.Auxiliary), torch.FromSlice(c, []int64{0, 1, 2}, 3))
		update := c.WithoutGradient()
		for i, grad := range c.GradientOf(loss, torch.Tensors(n.Variables().Parameters())) {
			update.AddTo(n.Variables().Parameters()[i].Value, update.Scale(grad, -0.05))
		}
		require.NoError(t, update.Close())
		require.NoError(t, c.Close())
	}
}

func (v variant) program(t *testing.T, n *Network) *graph.Program {
	t.Helper()
	p, err := n.Program(v.input())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

func (v variant) images(s *torch.Scope, batch int64) torch.Tensor {
	return s.Tensor("aten::rand", []int64{batch, 2, int64(v.height), int64(v.width)})
}

// The program, what it is as TorchScript, and the network it came from.
func TestProgramScriptAndNetworkAgree(t *testing.T) {
	for i, v := range variants(t) {
		t.Run(v.String(), func(t *testing.T) {
			s := begin(t, uint64(50+i))
			n := v.trained(t, s)
			p := v.program(t, n)
			m, path := scripted(t, p, map[string]string{"note.txt": "a note"})
			defer m.Close()
			for _, batch := range []int64{1, 5, 2} {
				images := v.images(s, batch)
				logits := p.Run(s, images)
				require.NoError(t, s.Err())
				assert.Equal(t, []int64{batch, 3}, s.Shape(logits))
				scripted := m.Forward(s, images)
				require.NoError(t, s.Err())
				assert.Equal(t, read(t, logits), read(t, scripted), "bit for bit")

				// What the program does to an image first, done apart.
				zero := []int64{int64(v.pad), int64(v.pad), int64(v.pad), int64(v.pad)}
				x := s.Tensor("aten::constant_pad_nd", images, zero, 0.0)
				x = s.Sub(x, torch.FromSlice(s, []float32{0.4, 0.3}, 1, 2, 1, 1))
				x = s.Tensor("aten::div.Tensor", x, torch.FromSlice(s, []float32{0.2, 0.3}, 1, 2, 1, 1))
				out := n.Forward(Pass{Scope: s, Mode: torch.Evaluate}, x)
				require.NoError(t, s.Err())
				requireWithin(t, 1e-4, out.Logits, logits, "unfolded network")
			}
			text, err := torch.ScriptExtra(path, "note.txt")
			require.NoError(t, err)
			assert.Equal(t, "a note", text)
		})
	}
}

// One image gives the same logits in any company.
func TestProgramDoesNotMixImages(t *testing.T) {
	s := begin(t, 70)
	v := variants(t)[0]
	p := v.program(t, v.trained(t, s))
	images := v.images(s, 4)
	together := read(t, p.Run(s, images))
	for i := range 4 {
		alone := read(t, p.Run(s, s.Narrow(images, 0, i, 1)))
		assert.InDeltaSlice(t, together[3*i:3*i+3], alone, 1e-5)
	}
}

// Section 6 of the specification: after folding, every tensor that enters a
// convolution is binary, but for the image that enters the stem.
func TestConvolutionsReadSpikes(t *testing.T) {
	for i, v := range variants(t) {
		if v.options.Stem == StemReLU {
			continue // analog by intention
		}
		t.Run(v.String(), func(t *testing.T) {
			s := begin(t, uint64(80+i))
			n := v.trained(t, s)
			p := v.program(t, n)
			values := watched(t, s, p, v.images(s, 2))
			convolutions, fired := 0, float64(0)
			for _, n := range p.Nodes() {
				if c, ok := n.Op.(graph.Conv); ok {
					if convolutions > 0 {
						for _, x := range read(t, values[c.X]) {
							require.True(t, x == 0 || x == 1, "convolution %d reads %v", convolutions, x)
							fired += float64(x)
						}
					}
					convolutions++
				}
			}
			want := len(n.stem)
			for _, c := range n.cells {
				want += len(wideOf(c))
			}
			assert.Equal(t, want, convolutions)
			assert.Positive(t, fired)
		})
	}
}

// probe counts the tensors that are alive when it is its turn.
type probe struct {
	X    graph.Value
	live *int64
}

func (o probe) Run(r *graph.Run) torch.Tensor {
	*o.live = torch.LiveTensors()
	return r.Scope.Clone(r.At(o.X))
}

// Inside a program a tensor goes when nobody reads it any more.
func TestProgramFreesAsItGoes(t *testing.T) {
	s := begin(t, 71)
	v := variants(t)[0]
	p := v.program(t, v.trained(t, s))
	var live int64
	p.Add(probe{graph.Value(len(p.Nodes()) - 1), &live})
	images := v.images(s, 2)
	s.Free(p.Run(s, images)) // makes what the program keeps
	before := torch.LiveTensors()
	p.Run(s, images)
	require.NoError(t, s.Err())
	assert.Equal(t, before+1, live, "the logits alone are left")
}

// A program is a copy: what happens to the network later does not reach it.
func TestProgramDoesNotFollowTheNetwork(t *testing.T) {
	s := begin(t, 90)
	v := variants(t)[0]
	n := v.trained(t, s)
	p := v.program(t, n)
	images := v.images(s, 3)
	before := read(t, p.Run(s, images))
	source := export.Source(p)
	v.train(t, s, n, 2)
	assert.Equal(t, before, read(t, p.Run(s, images)))
	assert.Equal(t, source, export.Source(p))
	later := v.program(t, n)
	assert.NotEqual(t, before, read(t, later.Run(s, images)), "the training did change the network")
	unsettle(t, s, n.Variables())
	assert.Equal(t, before, read(t, p.Run(s, images)))
}

func TestProgramNeedsNormalisationOfEachChannel(t *testing.T) {
	begin(t, 91)
	n := newNetwork(t, wired(t, twoNodes, nil), tinyOptions(0))
	for _, in := range []Input{
		{Height: 8, Width: 8}, {Mean: []float64{1}}, {Mean: []float64{1, 2}, Deviation: []float64{1, 2}},
	} {
		_, err := n.Program(in)
		require.ErrorIs(t, err, ErrOptions)
	}
}

// What goes wrong inside a program is reported once, and leaves nothing behind.
func TestProgramOnWrongImages(t *testing.T) {
	s := begin(t, 92)
	v := variants(t)[0]
	p := v.program(t, v.trained(t, s))
	requireRefusal(t, p.Run, "program, instruction 0: ")
}

// requireRefusal runs a program on images of too many channels.
func requireRefusal(t *testing.T, run func(*torch.Scope, ...torch.Tensor) torch.Tensor, message string) {
	t.Helper()
	c := torch.NewInference()
	defer c.Close()
	logits := run(c, c.Zeros(torch.CPU(), 2, 5, 8, 8))
	assert.False(t, torch.Defined(logits))
	assert.ErrorContains(t, c.Err(), message)
}
