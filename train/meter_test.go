package train

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/task"
	"github.com/spikedhs/spikedhs/train/task/classify"
)

func TestMeterCounts(t *testing.T) {
	m := newMeter(torch.CPU())
	defer func() { require.NoError(t, m.close()) }()
	s := torch.NewScope()
	defer s.Close()
	// Three images of which two are right, then one that is wrong.
	m.add(s, new(classify.Network), s.Full(torch.CPU(), 0.5), torch.FromSlice(s, []float32{9, 1, 2, 7, 0, 3}, 3, 2), task.Tensors{Target: torch.FromSlice(s, []int64{0, 1, 0}, 3), N: 3})
	m.count(3)
	m.add(s, new(classify.Network), s.Full(torch.CPU(), 2.5), torch.FromSlice(s, []float32{9, 1}, 1, 2), task.Tensors{Target: torch.FromSlice(s, []int64{1}, 1), N: 1})
	m.count(1)
	require.NoError(t, s.Err())
	r, err := m.read()
	require.NoError(t, err)
	assert.Equal(t, reading{Loss: 4, Correct: 2, Images: 4}, r)
	assert.Equal(t, 1.0, r.meanLoss())
	assert.Equal(t, 50.0, r.percent())
	assert.Equal(t, "loss 1.0000, top-1 50.00 %", r.words(classify.Task{}.Score()))
	assert.Equal(t, reading{Loss: 3, Correct: 1, Images: 2}, r.since(reading{Loss: 1, Correct: 1, Images: 2}))

	m.reset()
	r, err = m.read()
	require.NoError(t, err)
	assert.Equal(t, reading{}, r)
	assert.Zero(t, r.meanLoss())
	assert.Zero(t, r.percent())

	m.restore(reading{Loss: 1.25, Correct: 3, Images: 5})
	m.add(s, new(classify.Network), s.Full(torch.CPU(), 1), torch.FromSlice(s, []float32{0, 1}, 1, 2), task.Tensors{Target: torch.FromSlice(s, []int64{1}, 1), N: 1})
	m.count(1)
	r, err = m.read()
	require.NoError(t, err)
	assert.Equal(t, reading{Loss: 2.25, Correct: 4, Images: 6}, r)
}
