package search

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
)

// With few launches too, cells that are computed again move the running statistics once
// and give the gradients of the pass, whose casts are gone by then.
func TestTapedCellsWithFewLaunches(t *testing.T) {
	each(t, func(t *testing.T, super bool, d genotype.Downsample, o Options) {
		for _, precision := range []Precision{Float32, BFloat16} {
			s := begin(t, 83)
			o.FewLaunches, o.Precision, o.Recompute = true, precision, false
			kept := pass(t, s, super, d, o)
			o.Recompute = true
			again := pass(t, s, super, d, o)
			assert.Equal(t, read(t, kept.logits), read(t, again.logits))
			assert.Equal(t, kept.buffers, again.buffers)
			for i, x := range kept.of {
				assert.Equal(t, torch.Defined(kept.gradients[i]), torch.Defined(again.gradients[i]), x.Name)
				if torch.Defined(kept.gradients[i]) {
					requireClose(t, kept.gradients[i], again.gradients[i], x.Name)
				}
			}
		}
	})
}
