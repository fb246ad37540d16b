package stereo

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/torch"
)

// Cells that are computed again change neither cost nor running statistics, and
// gradients only by the order of sums.
func TestTapedCells(t *testing.T) {
	for name, build := range map[string]func(*testing.T, Options) (forward func(search.Pass, torch.Tensor, torch.Tensor) torch.Tensor, of []*torch.Variables){
		"network": func(t *testing.T, o Options) (func(search.Pass, torch.Tensor, torch.Tensor) torch.Tensor, []*torch.Variables) {
			n := newNetwork(t, o)
			return n.Forward, []*torch.Variables{n.Variables()}
		},
		"supernet": func(t *testing.T, o Options) (func(search.Pass, torch.Tensor, torch.Tensor) torch.Tensor, []*torch.Variables) {
			n := newSupernet(t, o, 2, 2)
			return n.Forward, []*torch.Variables{n.Weights(), n.Architecture()}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := begin(t, 61)
			left, right := stacks(t, s, 2, 48, 66)
			var costs, states [2][]float64
			var grads [2][]torch.Tensor
			var names []torch.Variable
			for i := range 2 {
				require.NoError(t, torch.Seed(62))
				o := tiny()
				o.Unfused, o.Recompute = true, i == 1
				forward, of := build(t, o)
				names = nil
				for _, v := range of {
					names = append(names, v.Parameters()...)
				}
				unsettle(t, s, of[0])
				tape := search.NewTape(s)
				cost := forward(search.Pass{Scope: s, Mode: torch.Train, Tape: tape}, left, right)
				costs[i] = read(t, cost)
				grads[i] = tape.GradientOf(s, s.Sum(s.Tensor("aten::sin", cost)), torch.Tensors(names))
				require.NoError(t, s.Err())
				for _, v := range of[0].All() {
					states[i] = append(states[i], read(t, v.Value)...)
				}
			}
			assert.Equal(t, costs[0], costs[1])
			assert.Equal(t, states[0], states[1])
			for i, v := range names {
				if strings.HasSuffix(v.Name, "conv.bias") {
					continue // zero before a normalisation: only rounding is left
				}
				require.Equal(t, torch.Defined(grads[0][i]), torch.Defined(grads[1][i]), v.Name)
				if !torch.Defined(grads[0][i]) {
					continue
				}
				want, have := read(t, grads[0][i]), read(t, grads[1][i])
				largest := 0.0
				for _, x := range want {
					largest = max(largest, x, -x)
				}
				assert.InDeltaSlice(t, want, have, 1e-5*largest+1e-9, v.Name)
			}
		})
	}
}
