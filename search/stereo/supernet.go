package stereo

import (
	"errors"
	"fmt"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/trellis"
	"github.com/spikedhs/spikedhs/torch"
)

// Layers of the two subnets in the paper.
const (
	DefaultFeatureLayers  = 2
	DefaultMatchingLayers = 4
)

// Supernet is the stereo network of the search phase: in both subnets all cells
// of the trellis exist, each with all candidate operations. A subnet has one
// alpha [edges, ops], shared by its cells, and one beta [layers, 4, 3].
type Supernet struct {
	Options Options

	weights      *torch.Variables
	architecture *torch.Variables
	feature      *supernetHalf
	project      *search.ConvBlock
	matching     *supernetHalf
	head         *head
}

// supernetHalf is a subnet with all its paths.
type supernetHalf struct {
	space       trellis.Space
	planes      int
	stems       *stems
	cells       map[trellis.Cell]*search.MixedBlock
	tail        *tail
	alpha, beta torch.Tensor
	moves       *trellis.Table
}

// NewSupernet builds a supernet with the given number of layers in the feature
// and the matching network (2 and 4 in the paper). In a search the paper mixes at
// the spike and has analog stems: set Options.Mixing and Options.Stem.
func NewSupernet(d torch.Device, featureLayers, matchingLayers int, options Options) (*Supernet, error) {
	o := options.WithDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if featureLayers < 1 || matchingLayers < 1 {
		return nil, fmt.Errorf("stereo: %d feature and %d matching layers; each subnet needs one: %w",
			featureLayers, matchingLayers, ErrOptions)
	}
	n := &Supernet{Options: o, weights: torch.NewVariables(d), architecture: torch.NewVariables(d)}
	at, arch := n.weights.Root(), n.architecture.Root()
	n.feature = newHalf(at.Sub("feature"), arch.Sub("feature"), featureStems(at.Sub("feature"), &o), 0, featureLayers, &o)
	n.project = newProjection(at.Sub("feature"), &o)
	n.matching = newHalf(at.Sub("matching"), arch.Sub("matching"), matchingStems(at.Sub("matching"), &o), o.Planes(), matchingLayers, &o)
	n.head = newHead(at.Sub("matching"), &o)
	if err := errors.Join(n.weights.Err(), n.architecture.Err()); err != nil {
		n.Close()
		return nil, fmt.Errorf("stereo: build supernet: %w", err)
	}
	return n, nil
}

func newHalf(p, architecture torch.Path, t *stems, planes, layers int, o *Options) *supernetHalf {
	n := &supernetHalf{space: trellis.Space{Layers: layers, Levels: o.TrellisLevels}, planes: planes, stems: t, cells: map[trellis.Cell]*search.MixedBlock{}}
	n.alpha = architecture.Parameter("alpha", torch.Normal(o.Deviation), int64(genotype.Edges(inputNodes)), genotype.NumOps)
	n.beta = n.space.Parameter(architecture, o.Deviation)
	n.moves = n.space.Table(architecture)
	wide := 3 * o.Width
	for _, c := range n.space.Cells() {
		s0 := 0
		if c.S0() {
			s0 = wide << c.To
		}
		name := fmt.Sprintf("%d_from_%d", c.To, c.From)
		n.cells[c] = search.NewMixedBlock(p.At("layers", c.Layer).Sub(name), search.BlockShape{
			Channels: o.Width << c.To, S0: s0, S1: wide << c.From, Planes: planesAt(planes, c.To),
		}, inputNodes, o.cells())
	}
	n.tail = newTail(p.Sub("tail"), n.space.Sources(layers)-1, wide, planes, o)
	return n
}

// forward gives the sum of all levels' last outputs, each brought to level 0.
func (n *supernetHalf) forward(p search.Pass, x torch.Tensor, grids [Levels]Grid) torch.Tensor {
	s := p.Scope.Child()
	defer s.Close()
	p.Scope = s
	alpha := s.Softmax(n.alpha, 1)
	weights := n.moves.Weights(s, n.beta)
	s0, s1 := n.stems.forward(p, x)
	last := trellis.Run(n.space, []torch.Tensor{s0, s1}, trellis.Network[torch.Tensor]{
		Cell: func(c trellis.Cell, s0, s1 trellis.Feature[torch.Tensor]) torch.Tensor {
			return n.cell(p, c, s0, s1.Value, alpha, grids)
		},
		Join: func(cells []trellis.Cell, outputs []torch.Tensor) torch.Tensor {
			return trellis.Join(s, weights, cells, outputs)
		},
		Done: func(f torch.Tensor) {
			if f.T != s0.T && f.T != s1.T {
				s.Free(f)
			}
		},
	})
	var sum torch.Tensor
	for level, f := range last {
		if !f.OK {
			continue
		}
		y := n.tail.forward(p, f.Value, level, grids)
		if level > 0 {
			s.Free(f.Value)
		}
		if !torch.Defined(sum) {
			sum = y
			continue
		}
		total := s.Add(sum, y)
		s.Free(sum)
		s.Free(y)
		sum = total
	}
	return s.Return(sum)
}

// cell brings s0 and s1 to the target's grid and runs a cell.
func (n *supernetHalf) cell(p search.Pass, c trellis.Cell, s0 trellis.Feature[torch.Tensor], s1, alpha torch.Tensor,
	grids [Levels]Grid) torch.Tensor {
	s := p.Scope.Child()
	defer s.Close()
	p.Scope = s
	s1 = resize(s, s1, grids[c.From], grids[c.To])
	if !s0.OK {
		s0.Value = torch.Tensor{}
	}
	return s.Return(n.cells[c].Forward(p, s0.Value, s1, alpha))
}

// Weights are the network weights w.
func (n *Supernet) Weights() *torch.Variables { return n.weights }

// Architecture are alpha and beta of both subnets.
func (n *Supernet) Architecture() *torch.Variables { return n.architecture }

// Close frees the supernet.
func (n *Supernet) Close() error { return errors.Join(n.weights.Close(), n.architecture.Close()) }

// Forward computes the cost of all time steps, [T*N, bins, H, W]; see
// [Network.Forward]. A supernet does not stream.
func (n *Supernet) Forward(p search.Pass, left, right torch.Tensor) torch.Tensor {
	o := &n.Options
	s := p.Scope.Child()
	defer s.Close()
	p.Scope = s
	if err := o.checkInputs(s, left, right, o.Steps, p); err != nil {
		s.Fail(err)
		return torch.Tensor{}
	}
	cells := o.cells()
	p, done := cells.Together(p, n.weights)
	defer done()
	height, width := int(s.Size(left, 2)), int(s.Size(left, 3))
	x := prepare(s, left, right, o.Steps)
	y := n.feature.forward(p, x, Grids(0, height, width))
	fl, fr := unview(s, n.project.Forward(p, y), o.Steps)
	volume := foldedVolume(s, fl, fr, o.Planes())
	z := n.matching.forward(p, volume, Grids(o.Planes(), height, width))
	s.Free(volume)
	return s.Return(n.head.forward(p, z, height, width))
}

// Architectures are the numbers behind a genotype, read off a supernet.
type Architectures struct {
	// FeatureAlpha and MatchingAlpha are [edges][ops].
	FeatureAlpha, MatchingAlpha [][]float64
	FeatureBeta, MatchingBeta   trellis.Beta
	// Feature and Matching are the spaces of the paths.
	Feature, Matching trellis.Space
}

// Read copies alpha and beta of both subnets to the host.
func (n *Supernet) Read() (a Architectures, err error) {
	a.Feature, a.Matching = n.feature.space, n.matching.space
	if a.FeatureAlpha, err = readAlpha(n.feature.alpha); err != nil {
		return a, err
	}
	if a.MatchingAlpha, err = readAlpha(n.matching.alpha); err != nil {
		return a, err
	}
	if a.FeatureBeta, err = trellis.Read(n.feature.beta); err != nil {
		return a, err
	}
	a.MatchingBeta, err = trellis.Read(n.matching.beta)
	return a, err
}

func readAlpha(alpha torch.Tensor) ([][]float64, error) {
	values, err := torch.ToSlice[float32](alpha)
	if err != nil {
		return nil, fmt.Errorf("stereo: read alpha: %w", err)
	}
	rows := make([][]float64, len(values)/genotype.NumOps)
	for i := range rows {
		for _, v := range values[i*genotype.NumOps : (i+1)*genotype.NumOps] {
			rows[i] = append(rows[i], float64(v))
		}
	}
	return rows, nil
}

// Decode reads the genotype off alpha (section 3.3) and beta (Viterbi).
func (n *Supernet) Decode(name string) (genotype.Genotype, error) {
	a, err := n.Read()
	if err != nil {
		return genotype.Genotype{}, err
	}
	feature, err := decodeHalf(a.FeatureAlpha, a.Feature, a.FeatureBeta)
	if err != nil {
		return genotype.Genotype{}, fmt.Errorf("stereo: feature network: %w", err)
	}
	matching, err := decodeHalf(a.MatchingAlpha, a.Matching, a.MatchingBeta)
	if err != nil {
		return genotype.Genotype{}, fmt.Errorf("stereo: matching network: %w", err)
	}
	feature.Name, matching.Name = Feature, Matching
	return genotype.Of(name, feature, matching)
}

func decodeHalf(alpha [][]float64, space trellis.Space, beta trellis.Beta) (genotype.Subnet, error) {
	cell, err := genotype.DecodeCell(alpha, inputNodes)
	if err != nil {
		return genotype.Subnet{}, err
	}
	path, _, err := space.Decode(beta)
	return genotype.Subnet{Cell: cell, Path: path}, err
}
