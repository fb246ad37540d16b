package classify

import (
	"fmt"
	"slices"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task"
)

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
