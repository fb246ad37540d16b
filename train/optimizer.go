package train

import (
	"errors"
	"fmt"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
)

// Optimizer is an optimiser that is freed when the training ends.
type Optimizer interface {
	torch.Optimizer
	Close() error
}

// newOptimizer makes the optimiser of a kind, "sgd" or "adam", for all parameters of v.
// Adam has no momentum to set.
func newOptimizer(kind string, v *torch.Variables, o torch.SGDOptions) (Optimizer, error) {
	if kind != "adam" {
		sgd, err := torch.NewSGD(v.Device(), v.Parameters(), o)
		if err != nil {
			return nil, fmt.Errorf("train: %w", err)
		}
		return sgd, nil
	}
	adam, err := torch.NewAdam(v.Device(), v.Parameters(), torch.AdamOptions{Rate: o.Rate, WeightDecay: o.WeightDecay, LossScale: o.LossScale})
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return adam, nil
}

// searchOptimizers are those of the weights and of the architecture of a supernet
// with convolutions in a precision.
func searchOptimizers(weights, architecture *torch.Variables, c *config.Search, p search.Precision) (Optimizer, *torch.Adam, error) {
	w, err := newOptimizer(c.Optimizer, weights, torch.SGDOptions{
		Rate: c.LR, Momentum: c.Momentum, WeightDecay: c.WeightDecay, LossScale: LossScale(p),
	})
	if err != nil {
		return nil, nil, err
	}
	a, err := torch.NewAdam(architecture.Device(), architecture.Parameters(), torch.AdamOptions{
		Rate: c.AlphaLR, Beta1: c.AlphaBeta1, Beta2: c.AlphaBeta2, WeightDecay: c.AlphaWeightDecay,
		LossScale: LossScale(p),
	})
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("train: %w", err), w.Close())
	}
	return w, a, nil
}
