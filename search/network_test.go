package search

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// paperOptions is the CIFAR-10 network of the paper: F = 48, T = 6.
func paperOptions() Options {
	return Options{
		Channels: 3, Classes: 10, Width: 48, Levels: []int{0, 0, 1, 1, 1, 2, 2, 2}, Steps: 6,
		Neuron: spike.Default(), Temperature: 3,
		Mixing: MixMembrane, Head: HeadLIF, Stem: StemSpike, Auxiliary: true,
	}
}

func TestParameterCountsOfThePaper(t *testing.T) {
	published, err := genotype.Preset("spikedhs-cla-n3")
	require.NoError(t, err)
	four, err := genotype.Preset("spikedhs-cla-n4")
	require.NoError(t, err)
	// The large variant: one more stem layer, two more cells (section 4.1).
	large := func(o *Options) { o.StemStrides, o.Levels = []int{2, 2}, []int{0, 0, 1, 1, 1, 2, 2, 2, 3, 3} }
	same := func(*Options) {}
	for _, c := range []struct {
		genotype       genotype.Genotype
		width, classes int
		change         func(*Options)
		want           int64
	}{
		{published, 48, 10, same, 14_293_758},
		{four, 36, 10, same, 11_691_390},
		{published, 48, 100, same, 14_345_868},
		{four, 36, 100, same, 11_743_500},
		{four, 48, 1000, large, 59_644_728},
	} {
		o := paperOptions()
		o.Width, o.Classes = c.width, c.classes
		c.change(&o)
		n, err := NewNetwork(torch.CPU(), c.genotype, o)
		require.NoError(t, err)
		count, err := n.Parameters()
		require.NoError(t, err)
		assert.Equal(t, c.want, count, "%s, %d classes", c.genotype.Name, c.classes)
		var weights int64 // the list of layers has them all, but for biases and normalisation
		for _, l := range n.Layers(224, 224) {
			if !strings.HasPrefix(l.Name, "auxiliary") {
				weights += int64(l.In)*int64(l.Out)*int64(l.Kernel*l.Kernel) + 3*int64(l.Out)
			}
		}
		assert.Equal(t, c.want, weights)
		require.NoError(t, n.Close())
	}
}

// The paper says 58 M for the large variant; the stem reduces 224x224 to 56x56,
// and the last cells work on 7x7.
func TestLargeVariantIsThatOfThePaper(t *testing.T) {
	begin(t, 1)
	four, err := genotype.Preset("spikedhs-cla-n4")
	require.NoError(t, err)
	o := paperOptions()
	o.Classes, o.Auxiliary, o.StemStrides, o.Levels = 1000, false, []int{2, 2}, []int{0, 0, 1, 1, 1, 2, 2, 2, 3, 3}
	n, err := NewNetwork(torch.CPU(), four, o)
	require.NoError(t, err)
	defer n.Close()
	count, err := n.Parameters()
	require.NoError(t, err)
	assert.InDelta(t, 58e6, float64(count), 0.05*58e6)
	grids := map[string]int{}
	for _, l := range n.Layers(224, 224) {
		grids[l.Name] = l.Height
	}
	assert.Equal(t, 112, grids["stem"])
	assert.Equal(t, 56, grids["stem1"])
	assert.Equal(t, 56, grids["cell0.from_s0"])
	assert.Equal(t, 7, grids["cell9.from_s0"])
}

// The eight cells of the paper with F = 4 and three nodes, written out.
func TestPlacesOfThePaper(t *testing.T) {
	o := tinyOptions(0, 0, 1, 1, 1, 2, 2, 2)
	o.Width = 4
	want := []struct {
		channels         int
		reduction        bool
		s0, s1           feature
		stride0, stride1 int
	}{
		{4, false, feature{12, 0}, feature{12, 0}, 1, 1},
		{4, false, feature{12, 0}, feature{12, 0}, 1, 1},
		{8, true, feature{12, 0}, feature{12, 0}, 2, 2},
		{8, false, feature{12, 0}, feature{24, 1}, 2, 1},
		{8, false, feature{24, 1}, feature{24, 1}, 1, 1},
		{16, true, feature{24, 1}, feature{24, 1}, 2, 2},
		{16, false, feature{24, 1}, feature{48, 2}, 2, 1},
		{16, false, feature{48, 2}, feature{48, 2}, 1, 1},
	}
	for _, downsample := range []genotype.Downsample{genotype.DownsampleReduction, genotype.DownsampleNearest} {
		list := places(&o, 3, downsample)
		require.Len(t, list, len(want))
		for i, w := range want {
			at := list[i]
			assert.Equal(t, fmt.Sprint("cell", i), at.name)
			assert.Equal(t, o.Levels[i], at.level)
			assert.Equal(t, w.channels, at.channels, "cell %d", i)
			assert.Equal(t, w.reduction, at.reduction, "cell %d", i)
			assert.Equal(t, w.s0, at.s0, "cell %d", i)
			assert.Equal(t, w.s1, at.s1, "cell %d", i)
			assert.Equal(t, feature{w.channels, o.Levels[i]}, at.source(genotype.FromNode(1)))
			if downsample == genotype.DownsampleNearest {
				w.stride0, w.stride1 = 1, 1
			}
			assert.Equal(t, w.stride0, at.stride(genotype.S0), "cell %d", i)
			assert.Equal(t, w.stride1, at.stride(genotype.S1), "cell %d", i)
			assert.Equal(t, 1, at.stride(genotype.FromNode(0)), "cell %d", i)
		}
		assert.Equal(t, 48, outputChannels(list, 7, 3))
	}
	assert.Equal(t, 5, auxiliaryCell(8))
	assert.Equal(t, 0, auxiliaryCell(1))
}

// The grid of a cell is that of its input divided by two and rounded up, for
// each level, whatever does the down-sampling.
func TestGrids(t *testing.T) {
	levels := []int{0, 0, 1, 1, 1, 2, 2, 2}
	sizes := map[[2]int64][3][2]int64{ // by level
		{32, 32}: {{32, 32}, {16, 16}, {8, 8}},
		{28, 28}: {{28, 28}, {14, 14}, {7, 7}},
		{33, 27}: {{33, 27}, {17, 14}, {9, 7}},
		{5, 1}:   {{5, 1}, {3, 1}, {2, 1}},
	}
	for _, g := range []genotype.Genotype{wired(t, twoNodes, nil), wired(t, twoNodes, twoNodes)} {
		for size, want := range sizes {
			t.Run(fmt.Sprint(g.Downsample(), size), func(t *testing.T) {
				s := begin(t, 1)
				o := tinyOptions(levels...)
				n := newNetwork(t, g, o)
				p := Pass{Scope: s.WithoutGradient(), Mode: torch.Evaluate}
				defer p.Scope.Close()
				s0 := n.stem.forward(p, p.Scope.Randn(torch.CPU(), 2, 1, size[0], size[1]), &o)
				assert.Equal(t, []int64{6, 4, size[0], size[1]}, p.Scope.Shape(s0), "stem")
				s1 := s0
				for i, c := range n.cells {
					s0, s1 = s1, c.Forward(p, s0, s1)
					level := levels[i]
					assert.Equal(t, []int64{6, 2 * 2 << level, want[level][0], want[level][1]}, p.Scope.Shape(s1), "cell %d", i)
				}
				require.NoError(t, p.Scope.Err())
			})
		}
	}
}

// Cells may shrink the grid one directly after another, the first included.
func TestReductionsInARow(t *testing.T) {
	for _, downsample := range []genotype.Downsample{genotype.DownsampleReduction, genotype.DownsampleNearest} {
		g := wired(t, threeNodes, nil)
		if downsample == genotype.DownsampleReduction {
			g = wired(t, threeNodes, threeNodes)
		}
		t.Run(string(downsample), func(t *testing.T) {
			s := begin(t, 1)
			o := tinyOptions(1, 2, 3)
			n := newNetwork(t, g, o)
			super := newSupernet(t, 3, downsample, o)
			images := s.Randn(torch.CPU(), 2, 1, 19, 16)
			for _, forward := range []func(Pass, torch.Tensor) Output{n.Forward, super.Forward} {
				out := forward(Pass{Scope: s, Mode: torch.Train}, images)
				assert.Equal(t, []int64{2, 3}, s.Shape(out.Logits))
				assert.False(t, torch.Defined(out.Auxiliary))
			}
			require.NoError(t, s.Err())
		})
	}
}

// equations are those of a cell's graph.
func equations(c *Cell) []string {
	var lines []string
	for _, n := range c.layers.Nodes() {
		o, ok := n.Op.(nodeOp)
		if !ok {
			continue
		}
		var terms []string
		for _, e := range o.Edges {
			op := genotype.Skip
			if e.wide != nil {
				op = e.wide.readers[e.reader].Op
			}
			terms = append(terms, op.Label()+"("+e.source.String()+")")
		}
		lines = append(lines, fmt.Sprintf("n%d = %s", len(lines), strings.Join(terms, " + ")))
	}
	return lines
}

// Every cell reads its predecessor's s1 and output, and normal and reduction
// cells have the wiring and the alpha that belong to them.
func TestReductionCellsHaveTheirOwnGenotype(t *testing.T) {
	begin(t, 1)
	o := tinyOptions(0, 1, 1, 2)
	n := newNetwork(t, wired(t, twoNodes, [][2]int{{0, 2}, {1, 2}, {2, 1}, {3, 1}}), o)
	for i, reduction := range []bool{false, true, false, true} {
		want := n.Genotype.Normal()
		if reduction {
			want = *n.Genotype.Reduction()
		}
		assert.Equal(t, want.Equations(), equations(n.cells[i]), "cell %d", i)
	}
	nearest := newNetwork(t, wired(t, twoNodes, nil), o)
	for _, c := range nearest.cells {
		assert.Equal(t, nearest.Genotype.Normal().Equations(), equations(c))
	}
	super := newSupernet(t, 2, genotype.DownsampleReduction, o)
	normal, reduction, err := super.Alphas()
	require.NoError(t, err)
	assert.Len(t, normal, 5)
	assert.Len(t, reduction, 5)
	assert.NotEqual(t, normal, reduction)
	super = newSupernet(t, 2, genotype.DownsampleNearest, o)
	_, reduction, err = super.Alphas()
	require.NoError(t, err)
	assert.Nil(t, reduction)
}
