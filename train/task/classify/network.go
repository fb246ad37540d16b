package classify

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task"
)

// Network is the network of a genotype with its loss.
type Network struct {
	*search.Network
	classes
	config  *config.Config
	problem *problem // nil where there are no data
}

// NewNetwork builds a network with fresh weights; c has the weight of the auxiliary
// head's loss.
func NewNetwork(d torch.Device, g genotype.Genotype, c *config.Config, o search.Options) (*Network, error) {
	n, err := search.NewNetwork(d, g, o)
	if err != nil {
		return nil, err
	}
	return &Network{Network: n, config: c}, nil
}

// Folded is the network in its inference form, for images of its data in 0..1.
func (n *Network) Folded() (*graph.Program, error) { return n.Program(n.problem.sets.input()) }

// Loss is the cross entropy of the main classifier and, in total, of the auxiliary one;
// the output is the logits [N, classes].
func (n *Network) Loss(p search.Pass, x task.Tensors) (total, loss, output torch.Tensor) {
	s := p.Scope
	out := n.Network.Forward(p, x.Inputs[0])
	loss = s.CrossEntropy(out.Logits, x.Target)
	total = loss
	if n.Options.Auxiliary {
		total = s.Add(loss, s.Scale(s.CrossEntropy(out.Auxiliary, x.Target), n.config.Train.AuxiliaryWeight))
	}
	return total, loss, out.Logits
}

// classes tells what of the logits is right.
type classes struct{}

// Right counts the images whose first guess is their class.
func (classes) Right(s *torch.Scope, logits torch.Tensor, x task.Tensors) (torch.Tensor, float64) {
	return s.Sum(s.Tensor("aten::eq.Tensor", s.Tensor("aten::argmax", logits, 1), x.Target)), 1
}

// Identity names what the weights depend on.
func (n *Network) Identity() string { return fingerprint(n.Genotype, n.Options) }

// Precision is the type of the convolutions.
func (n *Network) Precision() search.Precision { return n.Options.Precision }

// Size is the number of images of a part.
func (n *Network) Size(part task.Part) (int, string, error) {
	return n.problem.sets.of(part).Len(), "images", nil
}

// fingerprint names a trained network by what its weights depend on.
func fingerprint(g genotype.Genotype, o search.Options) string {
	name := fmt.Sprintf("genotype %s, F=%d, levels %v, %s head, %d channels, %d classes, auxiliary head %t",
		g.Hash(), o.Width, o.Levels, o.Head, o.Channels, o.Classes, o.Auxiliary)
	// Said only where it is not the usual, so that older checkpoints keep their names.
	if len(o.StemStrides) > 0 && !slices.Equal(o.StemStrides, []int{1}) {
		name += fmt.Sprintf(", stem strides %v", o.StemStrides)
	}
	if o.Activation == search.ActivationReLU {
		name += ", ANN"
	}
	return name
}

// Graph is the network over images of the data set's published shape. What only files know
// is taken from the configuration: the side of pictures and recordings, one class.
func (Task) Graph(c *config.Config, g genotype.Genotype, folded bool) (graph.Table, error) {
	channels, height, width, classes, err := data.Shape(c.Data.Name)
	if err != nil {
		return graph.Table{}, err
	}
	if side := data.Side(c.Data.Name, c.Data.Size, c.Data.Sensor); c.Data.Size > 0 || height == 0 {
		height, width = side, side
	}
	o := TrainOptions(c, max(channels, 1), max(classes, 1), search.Float32)
	n, err := search.NewNetwork(torch.CPU(), g, o)
	if err != nil {
		return graph.Table{}, err
	}
	defer n.Close()
	one := make([]float64, o.Channels)
	for i := range one {
		one[i] = 1
	}
	return n.Table(search.Input{Height: height, Width: width, Pad: c.Data.Pad, Mean: one, Deviation: one}, folded)
}

// TrainOptions are the options of the network that a configuration trains on
// images of so many channels and classes.
func TrainOptions(c *config.Config, channels, classes int, p search.Precision) search.Options {
	o := networkOptions(c, channels, classes, p)
	o.Width, o.Mixing, o.Stem = c.Train.Width, search.Mixing(c.Train.Mixing), search.StemSpike
	o.Auxiliary = c.Train.AuxiliaryWeight > 0
	return o
}

// SearchOptions are the options of the supernet that a configuration searches.
func SearchOptions(c *config.Config, channels, classes int, p search.Precision) search.Options {
	o := networkOptions(c, channels, classes, p)
	o.Width, o.Mixing, o.Stem, o.AlphaDeviation = c.Search.Width, search.Mixing(c.Search.Mixing), search.Stem(c.Search.Stem), c.Search.AlphaInit
	o.Steps, o.TrellisLevels, o.Candidates = searchSteps(c), c.Search.TrellisLevels, c.Search.Candidates()
	return o
}

// searchSteps is T of the supernet.
func searchSteps(c *config.Config) int { return cmp.Or(c.Search.Steps, c.Network.Steps) }

// networkOptions are the options that search and training share.
func networkOptions(c *config.Config, channels, classes int, p search.Precision) search.Options {
	return search.Options{
		Precision: p,
		Channels:  channels, Classes: classes, Levels: c.Network.Levels, Steps: c.Network.Steps,
		Neuron:      spike.LIF{Tau: c.Network.Tau, Threshold: c.Network.Threshold, Surrogate: spike.Surrogate(c.Network.Surrogate)},
		Temperature: c.Network.Temperature, Head: search.Head(c.Network.Head),
		Activation: search.Activation(c.Network.Activation), StemStrides: c.Network.StemStrides,
		PerStepNorm: c.Network.BN == "per-step",
		Recompute:   c.Run.Recompute,
		Temporal:    data.IsEvents(c.Data.Name),
	}
}

// net is the network of a search: [search.Supernet], or [search.TrellisSupernet] where
// levels are searched too.
type net interface {
	Forward(p search.Pass, images torch.Tensor) search.Output
	Weights() *torch.Variables
	Architecture() *torch.Variables
	Alphas() (normal, reduction [][]float64, err error)
	Decode(name string) (genotype.Genotype, error)
	Precision() search.Precision
	Close() error
}

// Supernet is the network of a search with its loss.
type Supernet struct {
	net
	classes
	identity   string
	candidates []genotype.Op
}

// NewSupernet builds the supernet of the fixed levels of a configuration.
func NewSupernet(d torch.Device, c *config.Config, o search.Options) (*Supernet, error) {
	n, err := search.NewSupernet(d, c.Network.Nodes, genotype.Downsample(c.Network.Downsample), o)
	if err != nil {
		return nil, err
	}
	return &Supernet{n, classes{}, fmt.Sprintf("supernet of %d nodes, %s, F=%d, levels %v, %s", n.Nodes, n.Downsample, o.Width, o.Levels, shapeOf(o)) + over(o), o.Candidates}, nil
}

// over names the candidate operations where they are not those of the paper.
func over(o search.Options) string {
	if len(o.Candidates) == 0 || slices.Equal(o.Candidates, genotype.Published()) {
		return ""
	}
	return fmt.Sprintf(", over %v", o.Candidates)
}

func shapeOf(o search.Options) string {
	return fmt.Sprintf("%d channels, %d classes", o.Channels, o.Classes)
}

// newSupernet builds the supernet that a configuration searches, of the trellis or of
// the fixed levels.
func newSupernet(c *config.Config, d torch.Device, o search.Options, sets *images) (*Supernet, error) {
	if !c.Search.LayerSearch {
		return NewSupernet(d, c, o)
	}
	n, err := search.NewTrellisSupernet(d, c.Network.Nodes, o)
	if err != nil {
		return nil, err
	}
	if err := n.CheckSize(sets.height+2*sets.pad, sets.width+2*sets.pad); err != nil {
		n.Close()
		return nil, fmt.Errorf("%w: search.layer_search: %w", config.ErrInvalid, err)
	}
	return &Supernet{n, classes{}, fmt.Sprintf("trellis supernet of %d nodes and %d layers, F=%d, %s", n.Nodes, len(o.Levels), o.Width, shapeOf(o)) + over(o), o.Candidates}, nil
}

// Loss is the cross entropy; the output is the logits [N, classes].
func (n *Supernet) Loss(p search.Pass, x task.Tensors) (total, loss, output torch.Tensor) {
	out := n.Forward(p, x.Inputs[0])
	loss = p.Scope.CrossEntropy(out.Logits, x.Target)
	return loss, loss, out.Logits
}

// Identity names what the weights depend on.
func (n *Supernet) Identity() string { return n.identity }

// View decodes the architecture. Entropies are means over the cells as a share of the
// maximum: 1 is undecided, 0 decided.
func (n *Supernet) View(name, origin string) (task.View, error) {
	normal, reduction, err := n.Alphas()
	if err != nil {
		return task.View{}, err
	}
	found, err := n.Decode(name)
	if err != nil {
		return task.View{}, err
	}
	found.Origin = origin
	cells, alphas := []genotype.Cell{found.Normal()}, [][][]float64{normal}
	if found.Reduction() != nil {
		cells, alphas = append(cells, *found.Reduction()), append(alphas, reduction)
	}
	v := task.View{Genotype: found}
	entropy := 0.0
	for i, cell := range cells {
		_, share, err := genotype.Entropy(alphas[i], n.candidates...)
		if err != nil {
			return task.View{}, fmt.Errorf("train: %w", err)
		}
		entropy += share / float64(len(cells))
		v.Skips += genotype.SkipShare(cell) / float64(len(cells))
	}
	v.Fields = []run.Field{
		run.F("alpha_entropy", entropy), run.F("skip_share", v.Skips), run.F("genotype", found.Hash()), run.F("normal", found.Normal().Equations()),
	}
	if found.Reduction() != nil {
		v.Fields = append(v.Fields, run.F("reduction", found.Reduction().Equations()))
	}
	for i, key := range []string{"alpha", "alpha_reduction"}[:len(alphas)] {
		v.Fields = append(v.Fields, run.F(key, alphas[i]))
	}
	v.Scalars = []task.Scalar{{Tag: "alpha_entropy", Value: entropy}, {Tag: "skip_share", Value: v.Skips}}
	v.Words = fmt.Sprintf("entropy of alpha %.3f, skips %.0f %%", entropy, 100*v.Skips)
	if layered, ok := n.net.(*search.TrellisSupernet); ok {
		beta, err := layered.Beta()
		if err != nil {
			return task.View{}, err
		}
		moves, err := task.BetaEntropy(layered.Space(), beta)
		if err != nil {
			return task.View{}, err
		}
		v.Fields = append(v.Fields, run.F("beta_entropy", moves), run.F("path", found.Path()), run.F("beta", beta))
		v.Scalars = append(v.Scalars, task.Scalar{Tag: "beta_entropy", Value: moves})
		v.Words += fmt.Sprintf(", entropy of beta %.3f, path %v", moves, found.Path())
	}
	return v, nil
}
