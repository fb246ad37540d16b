package search

import (
	"fmt"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
)

// Supernet is the network of the search phase: its cells carry all candidate
// operations, weighted by the architecture weights alpha. All normal cells
// share one alpha, and so do all reduction cells.
type Supernet struct {
	Options    Options
	Nodes      int
	Downsample genotype.Downsample

	weights      *torch.Variables
	architecture *torch.Variables
	normal       torch.Tensor // alpha, [edges, ops]
	reduction    torch.Tensor // no tensor when one cell serves all places
	stem         stem
	cells        []*Cell
	head         *head
	graph        *graph.Graph
}

// NewSupernet builds a supernet on a device, with fresh weights and alpha from
// libtorch's random numbers. nodes is the number of nodes of a cell.
func NewSupernet(d torch.Device, nodes int, downsample genotype.Downsample, o Options) (*Supernet, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if nodes < 1 || nodes > genotype.MaxNodes {
		return nil, fmt.Errorf("search: a cell has 1 to %d nodes, not %d: %w", genotype.MaxNodes, nodes, ErrOptions)
	}
	if err := o.checkDescent(downsample); err != nil {
		return nil, err
	}
	n := &Supernet{
		Options: o, Nodes: nodes, Downsample: downsample,
		weights: torch.NewVariables(d), architecture: torch.NewVariables(d),
	}
	edges, ops := int64(genotype.Edges(nodes)), int64(len(o.candidates()))
	alphas := n.architecture.Root()
	n.normal = alphas.Parameter("alpha.normal", torch.Normal(o.AlphaDeviation), edges, ops)
	if downsample == genotype.DownsampleReduction {
		n.reduction = alphas.Parameter("alpha.reduction", torch.Normal(o.AlphaDeviation), edges, ops)
	}
	root := n.weights.Root()
	layout := places(&o, nodes, downsample)
	n.stem = newStem(root.Sub("stem"), layout[0].s1.channels, &o)
	for i, at := range layout {
		n.cells = append(n.cells, newMixedCell(root.At("cells", i), at, nodes, &o))
	}
	n.head = newHead(root.Sub("head"), outputChannels(layout, len(layout)-1, nodes), &o)
	for _, v := range []*torch.Variables{n.weights, n.architecture} {
		if err := v.Err(); err != nil {
			n.Close()
			return nil, fmt.Errorf("search: build supernet: %w", err)
		}
	}
	n.graph = n.wire(layout)
	return n, nil
}

// wire is the chain of a [Network] with mixed cells. The inputs are images and the
// weights of operations in normal and in reduction cells.
func (n *Supernet) wire(layout []place) *graph.Graph {
	g := &graph.Graph{}
	s1 := n.stem.wire(g, graph.Input(0), &n.Options)
	s0 := s1
	for i, c := range n.cells {
		weights := graph.Input(1)
		if layout[i].reduction {
			weights = graph.Input(2)
		}
		s0, s1 = s1, g.Add(fmt.Sprintf("cell%d", i), c.Node(weights, s0, s1))
	}
	g.Result(g.Add("head", headOp{s1, n.head, n.Options.Classes}))
	return g
}

// Weights are the network weights w.
func (n *Supernet) Weights() *torch.Variables { return n.weights }

// Architecture are the architecture weights alpha.
func (n *Supernet) Architecture() *torch.Variables { return n.architecture }

// Precision is that of the convolutions.
func (n *Supernet) Precision() Precision { return n.Options.Precision }

// Close frees the supernet.
func (n *Supernet) Close() error {
	err := n.weights.Close()
	if e := n.architecture.Close(); err == nil {
		err = e
	}
	return err
}

// Forward computes logits from images [N, C, H, W], normalised float32; with
// [Options].Temporal from [T*N, C, H, W], time slowest (see [graph.TimeFirst]).
func (n *Supernet) Forward(p Pass, images torch.Tensor) Output {
	s := p.Scope.Child()
	defer s.Close()
	p, done := n.Options.begin(p.in(s), n.weights, images)
	defer done()
	normal := s.Softmax(n.normal, 1)
	reduction := normal
	if torch.Defined(n.reduction) {
		reduction = s.Softmax(n.reduction, 1)
	}
	return Output{Logits: s.Return(n.graph.Forward(s, &p, n.Options.Steps, images, normal, reduction)[0])}
}

// Alphas returns the architecture weights as numbers, [edges][ops]; reduction
// is nil when one cell serves all places.
func (n *Supernet) Alphas() (normal, reduction [][]float64, err error) {
	if normal, err = ReadAlpha(n.normal); err != nil {
		return nil, nil, err
	}
	if torch.Defined(n.reduction) {
		reduction, err = ReadAlpha(n.reduction)
	}
	return normal, reduction, err
}

// ReadAlpha copies architecture weights [edges, ops] to the host.
func ReadAlpha(alpha torch.Tensor) ([][]float64, error) {
	values, err := torch.ToSlice[float32](alpha)
	if err != nil {
		return nil, fmt.Errorf("search: read alpha: %w", err)
	}
	shape, err := torch.Shape(alpha)
	if err != nil {
		return nil, fmt.Errorf("search: read alpha: %w", err)
	}
	list := make([][]float64, shape[0])
	for i := range list {
		for _, v := range values[i*int(shape[1]):][:shape[1]] {
			list[i] = append(list[i], float64(v))
		}
	}
	return list, nil
}

// Decode reads the genotype off the architecture weights (section 3.3).
func (n *Supernet) Decode(name string) (genotype.Genotype, error) {
	normal, reduction, err := n.Alphas()
	if err != nil {
		return genotype.Genotype{}, err
	}
	normalCell, err := genotype.DecodeCell(normal, n.Nodes, n.Options.candidates()...)
	if err != nil {
		return genotype.Genotype{}, fmt.Errorf("search: normal cell: %w", err)
	}
	var reductionCell *genotype.Cell
	if reduction != nil {
		c, err := genotype.DecodeCell(reduction, n.Nodes, n.Options.candidates()...)
		if err != nil {
			return genotype.Genotype{}, fmt.Errorf("search: reduction cell: %w", err)
		}
		reductionCell = &c
	}
	g, err := genotype.New(name, normalCell, reductionCell)
	return g.Over(n.Options.candidates()), err
}
