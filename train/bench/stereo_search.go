package bench

import (
	"errors"
	"fmt"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/config"
)

// stereoPreset has the optimisers and the mixing of a stereo search.
const stereoPreset = "mvsec-paper"

// stereoSearching is the task [StereoSearch].
type stereoSearching struct {
	net        *stereo.Supernet
	descent    *train.StereoSupernetStep
	scope      *torch.Scope
	one, other stereoBatch // of the weights, of alpha and beta
}

func newStereoSearching(c Case, d torch.Device) (*stereoSearching, error) {
	cfg, err := config.Load(stereoPreset, nil)
	if err != nil {
		return nil, err
	}
	cfg.Search.Width, cfg.Search.Steps, cfg.Stereo.MaxDisparity = c.Width, c.Steps, c.Stereo.MaxDisparity
	t := &stereoSearching{scope: torch.NewInference()}
	t.net, err = stereo.NewSupernet(d, c.Stereo.FeatureLayers, c.Stereo.MatchingLayers,
		train.StereoSearchOptions(cfg, c.Stereo.Channels, search.Precision(c.Precision)))
	if err != nil {
		return nil, errors.Join(err, t.scope.Close())
	}
	if t.descent, err = train.NewStereoSupernetStep(t.net, cfg); err != nil {
		return nil, errors.Join(err, t.scope.Close(), t.net.Close())
	}
	t.one, t.other = c.batch(t.scope, d), c.batch(t.scope, d)
	if err := t.scope.Err(); err != nil {
		return nil, errors.Join(fmt.Errorf("bench: batch: %w", err), t.close())
	}
	return t, nil
}

// step is an iteration of a search after its warm-up.
func (t *stereoSearching) step() error {
	err := inScope(torch.NewScope(), func(s *torch.Scope) { t.descent.RunWeights(s, t.one.left, t.one.right, t.one.truth) })
	if err != nil {
		return err
	}
	return inScope(torch.NewScope(), func(s *torch.Scope) {
		t.descent.RunArchitecture(s, t.other.left, t.other.right, t.other.truth)
	})
}

func (t *stereoSearching) parts() ([]part, error) {
	return []part{
		{
			scope: torch.NewScope, begin: t.descent.Weights.Begin,
			work: func(s *torch.Scope) { t.descent.LowerByWeights(s, t.one.left, t.one.right, t.one.truth) },
		},
		{
			scope: torch.NewScope, begin: t.descent.Architecture.Begin,
			work: func(s *torch.Scope) {
				t.descent.LowerByArchitecture(s, t.other.left, t.other.right, t.other.truth)
			},
		},
	}, nil
}

func (t *stereoSearching) close() error {
	return errors.Join(t.scope.Close(), t.descent.Close(), t.net.Close())
}
