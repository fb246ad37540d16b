package bench

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
)

// checkProfile looks at the order and the shares of the operators.
func checkProfile(t *testing.T, p StepProfile, by func(OperatorRow) float64) {
	t.Helper()
	require.NotEmpty(t, p.Operators)
	assert.Positive(t, p.StepMS)
	sum := 0.0
	for i, o := range p.Operators {
		sum += o.Share
		if i > 0 {
			assert.LessOrEqual(t, by(o), by(p.Operators[i-1]), o.Name)
		}
	}
	assert.InDelta(t, 1, sum, 1e-9)
	calls := map[string]float64{}
	for _, o := range p.Operators {
		calls[o.Name] = o.Calls
	}
	assert.Positive(t, calls["aten::convolution"], "%v", calls)
	assert.Equal(t, calls["aten::_log_softmax"], calls["aten::_log_softmax_backward_data"], "forward and backward")
}

func TestProfile(t *testing.T) {
	before := torch.LiveTensors()
	p, err := Profile(context.Background(), tiny(Train), 2)
	require.NoError(t, err)
	assert.Zero(t, p.DeviceMS)
	assert.Positive(t, p.HostMS)
	checkProfile(t, p, func(r OperatorRow) float64 { return r.HostMS })
	assert.Equal(t, before, torch.LiveTensors())
	_, err = Profile(context.Background(), tiny(Train), 0)
	require.ErrorIs(t, err, ErrCase)
}
