package stereo

import (
	"fmt"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task"
)

// Supernet is the network of a search with its loss.
type Supernet struct {
	*stereo.Supernet
	losses
	identity string
}

// NewSupernet builds the supernet of a configuration.
func NewSupernet(d torch.Device, c *config.Config, o stereo.Options) (*Supernet, error) {
	n, err := stereo.NewSupernet(d, c.Stereo.FeatureLayers, c.Stereo.MatchingLayers, o)
	if err != nil {
		return nil, err
	}
	return &Supernet{n, newLosses(c, n.Options, n.Forward), fmt.Sprintf(
		"stereo supernet of %d and %d layers, f=%d, disparities up to %d px, stems %s, head %s, %d bins of events",
		c.Stereo.FeatureLayers, c.Stereo.MatchingLayers, o.Width, o.MaxDisparity, o.Stems, o.Head, o.Channels)}, nil
}

// Identity names what the weights depend on.
func (n *Supernet) Identity() string { return n.identity }

// View decodes cells and paths. Entropies are means over both subnets as a share of the
// maximum: 1 is undecided, 0 decided.
func (n *Supernet) View(name, origin string) (task.View, error) {
	g, err := n.Decode(name)
	if err != nil {
		return task.View{}, err
	}
	g.Origin = origin
	feature, matching, err := n.Read()
	if err != nil {
		return task.View{}, err
	}
	alpha, beta := 0.0, 0.0
	skips := (genotype.SkipShare(g.Subnet(stereo.Feature).Cell) + genotype.SkipShare(g.Subnet(stereo.Matching).Cell)) / 2
	for _, subnet := range []stereo.Architecture{feature, matching} {
		_, share, err := genotype.Entropy(subnet.Alpha, n.Options.Candidates...)
		if err != nil {
			return task.View{}, fmt.Errorf("train: %w", err)
		}
		alpha += share / 2
		if share, err = task.BetaEntropy(subnet.Space, subnet.Beta); err != nil {
			return task.View{}, err
		}
		beta += share / 2
	}
	return task.View{
		Genotype: g,
		Fields: []run.Field{
			run.F("alpha_entropy", alpha), run.F("beta_entropy", beta), run.F("skip_share", skips),
			run.F("genotype", g.Hash()), run.F("feature_path", g.Subnet(stereo.Feature).Path), run.F("matching_path", g.Subnet(stereo.Matching).Path),
			run.F("alpha_feature", feature.Alpha), run.F("alpha_matching", matching.Alpha),
			run.F("beta_feature", feature.Beta), run.F("beta_matching", matching.Beta),
			run.F("feature", g.Subnet(stereo.Feature).Cell.Equations()), run.F("matching", g.Subnet(stereo.Matching).Cell.Equations()),
		},
		Scalars: []task.Scalar{{Tag: "alpha_entropy", Value: alpha}, {Tag: "beta_entropy", Value: beta}, {Tag: "skip_share", Value: skips}},
		Skips:   skips,
		Words:   fmt.Sprintf("entropy of alpha %.3f, of beta %.3f, paths %v and %v", alpha, beta, g.Subnet(stereo.Feature).Path, g.Subnet(stereo.Matching).Path),
	}, nil
}
