package stereo

import (
	"errors"
	"fmt"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
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
	graph        *graph.Graph
	feature      *architecture
	matching     *architecture
}

// architecture is what is searched of a subnet: with all its paths.
type architecture struct {
	space       trellis.Space
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
	n := &Supernet{Options: o, weights: torch.NewVariables(d), architecture: torch.NewVariables(d), graph: &graph.Graph{}}
	wire(n.graph, n.weights, &o, func(half subnet, x graph.Value) graph.Value {
		if half.planes == 0 {
			s0, s1 := half.featureStems(x)
			n.feature = newArchitecture(n.architecture.Root().Sub("feature"), featureLayers, &o)
			return half.trellis(0, n.feature.space, s0, s1)
		}
		s0, s1 := half.matchingStems(x)
		n.matching = newArchitecture(n.architecture.Root().Sub("matching"), matchingLayers, &o)
		return half.trellis(1, n.matching.space, s0, s1)
	})
	if err := errors.Join(n.weights.Err(), n.architecture.Err()); err != nil {
		n.Close()
		return nil, fmt.Errorf("stereo: build supernet: %w", err)
	}
	return n, nil
}

func newArchitecture(p torch.Path, layers int, o *Options) *architecture {
	a := &architecture{space: trellis.Space{Layers: layers, Levels: o.TrellisLevels}}
	a.alpha = p.Parameter("alpha", torch.Normal(o.Deviation), int64(genotype.Edges(inputNodes)), int64(len(o.candidates())))
	a.beta = a.space.Parameter(p, o.Deviation)
	a.moves = a.space.Table(p)
	return a
}

// weights are softmax(alpha) and those of the moves.
func (a *architecture) weights(s *torch.Scope) (torch.Tensor, *trellis.Weights) {
	return s.Softmax(a.alpha, 1), a.moves.Weights(s, a.beta)
}

// trellis lays all paths of a subnet out, the i-th of the network, and gives the sum of all
// levels' last outputs, each brought to level 0.
func (n subnet) trellis(i int, space trellis.Space, s0, s1 graph.Value) graph.Value {
	wide := 3 * n.o.Width
	alpha := graph.Input(2 + i)
	last := trellis.Run(space, []graph.Value{s0, s1}, trellis.Network[graph.Value]{
		Cell: func(c trellis.Cell, s0, s1 trellis.Feature[graph.Value]) graph.Value {
			shape := search.CellShape{
				Channels: n.o.Width << c.To, S1: wide << c.From, Planes: graph.PlanesAt(n.planes, c.To), Level: c.To,
			}
			x := n.regrid(s1.Value, c.From, c.To)
			before := x // nobody reads it
			if s0.OK {
				shape.S0, before = wide<<c.To, s0.Value
			}
			name := fmt.Sprintf("%d_from_%d", c.To, c.From)
			cell := search.NewMixedCell(n.at.At("layers", c.Layer).Sub(name), shape, inputNodes, n.o.cells())
			return n.Add(fmt.Sprintf("%s.layer%d.%s", n.name, c.Layer, name), cell.Node(alpha, before, x))
		},
		Join: func(cells []trellis.Cell, outputs []graph.Value) graph.Value {
			return n.Add(fmt.Sprintf("%s.layer%d.%d", n.name, cells[0].Layer, cells[0].To), search.JoinNode(i, cells, outputs))
		},
	})
	tail := n.newTail(space.Sources(space.Layers)-1, wide)
	var sum graph.Value
	for level, f := range last {
		if !f.OK {
			continue
		}
		y := tail.from(level, f.Value)
		if level > 0 {
			y = n.Add(fmt.Sprintf("%s.levels%d", n.name, level), graph.Sum{Parts: []graph.Part{{X: sum}, {X: y}}})
		}
		sum = y
	}
	return sum
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
	featureAlpha, featureMoves := n.feature.weights(s)
	matchingAlpha, matchingMoves := n.matching.weights(s)
	p = p.WithMoves(featureMoves, matchingMoves)
	return s.Return(n.graph.Forward(s, &p, o.Steps, left, right, featureAlpha, matchingAlpha)[0])
}

// Architecture are the numbers behind a subnet of a genotype.
type Architecture struct {
	Alpha [][]float64   // [edges][ops]
	Beta  trellis.Beta  // of its moves
	Space trellis.Space // of its paths
}

// Read copies alpha and beta of both subnets to the host.
func (n *Supernet) Read() (feature, matching Architecture, err error) {
	if feature, err = n.feature.read(); err == nil {
		matching, err = n.matching.read()
	}
	return feature, matching, err
}

func (a *architecture) read() (read Architecture, err error) {
	read.Space = a.space
	if read.Alpha, err = search.ReadAlpha(a.alpha); err == nil {
		read.Beta, err = trellis.Read(a.beta)
	}
	return read, err
}

// Decode reads the genotype off alpha (section 3.3) and beta (Viterbi).
func (n *Supernet) Decode(name string) (genotype.Genotype, error) {
	feature, matching, err := n.Read()
	if err != nil {
		return genotype.Genotype{}, err
	}
	subnets := []genotype.Subnet{{Name: Feature}, {Name: Matching}}
	for i, a := range []Architecture{feature, matching} {
		subnet := &subnets[i]
		subnet.Cell, err = genotype.DecodeCell(a.Alpha, inputNodes, n.Options.candidates()...)
		if err == nil {
			subnet.Path, _, err = a.Space.Decode(a.Beta)
		}
		if err != nil {
			return genotype.Genotype{}, fmt.Errorf("stereo: %s network: %w", subnet.Name, err)
		}
	}
	g, err := genotype.Of(name, subnets...)
	return g.Over(n.Options.candidates()), err
}
