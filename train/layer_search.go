package train

import (
	"fmt"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
)

// newSupernet builds the supernet that a configuration searches, of the trellis or of
// the fixed levels, and the name that it has in checkpoints.
func newSupernet(c *config.Config, d torch.Device, o search.Options, sets *images) (Supernet, string, error) {
	shape := fmt.Sprintf("%d channels, %d classes", o.Channels, o.Classes)
	if !c.Search.LayerSearch {
		n, err := search.NewSupernet(d, c.Network.Nodes, genotype.Downsample(c.Network.Downsample), o)
		if err != nil {
			return nil, "", err
		}
		return n, fmt.Sprintf("supernet of %d nodes, %s, F=%d, levels %v, %s", n.Nodes, n.Downsample, o.Width, o.Levels, shape), nil
	}
	n, err := search.NewTrellisSupernet(d, c.Network.Nodes, o)
	if err != nil {
		return nil, "", err
	}
	if err := n.CheckSize(sets.height+2*sets.pad, sets.width+2*sets.pad); err != nil {
		n.Close()
		return nil, "", fmt.Errorf("%w: search.layer_search: %w", config.ErrInvalid, err)
	}
	return n, fmt.Sprintf("trellis supernet of %d nodes and %d layers, F=%d, %s", n.Nodes, len(o.Levels), o.Width, shape), nil
}

// lookAtLayers is the entropy of beta as a share of its maximum: 1 undecided, 0
// decided; nil where layers are not searched.
func (p *searcher) lookAtLayers() (*float64, error) {
	n, ok := p.net.(*search.TrellisSupernet)
	if !ok {
		return nil, nil
	}
	beta, err := n.Beta()
	if err != nil {
		return nil, err
	}
	entropy, err := betaEntropy(n.Space(), beta)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return &entropy, nil
}

// layerFields are what the record of an epoch has of the search of layers.
func (v view) layerFields(found genotype.Genotype) []run.Field {
	if v.beta == nil {
		return nil
	}
	return []run.Field{run.F("beta_entropy", *v.beta), run.F("path", found.Path())}
}

// layerWords is the same for the line that ends an epoch.
func (v view) layerWords(found genotype.Genotype) string {
	if v.beta == nil {
		return ""
	}
	return fmt.Sprintf("entropy of beta %.3f, path %v, ", *v.beta, found.Path())
}
