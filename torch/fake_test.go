//go:build fakedevice

package torch

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the fake device is relied on for by the device tests.

func fakeDevice(t *testing.T, name string) Device {
	t.Helper()
	d, err := ParseDevice(name)
	require.NoError(t, err)
	require.Equal(t, name, DeviceName(d))
	return d
}

func fakeCounts(t *testing.T) FakeReport {
	t.Helper()
	r, err := ReadFake()
	require.NoError(t, err)
	return r
}

func TestFakeDeviceRefusesMixedDevices(t *testing.T) {
	first, second := fakeDevice(t, "cuda:0"), fakeDevice(t, "cuda:1")
	for _, other := range []Device{CPU(), second} {
		s := NewInference()
		s.Add(s.Zeros(first, 3), s.Zeros(other, 3))
		assert.ErrorContains(t, s.Err(), "privateuseone")
		s.Close()
	}
	s := NewInference()
	defer s.Close()
	one := s.Full(CPU(), 1) // a number, as on CUDA
	v, err := ToSlice[float32](s.Mul(s.Full(second, 3, 2), one))
	require.NoError(t, err)
	assert.Equal(t, []float32{3, 3}, v)
	assert.Equal(t, "cuda:1", DeviceName(s.Device(s.Full(second, 3, 2))))
}

func TestFakeDeviceMemory(t *testing.T) {
	d := fakeDevice(t, "cuda:1")
	s := NewInference()
	defer s.Close()
	fresh := s.Tensor("aten::empty.memory_format", []int64{4}, Named{"device", d}, Named{"dtype", Float32})
	v, err := ToSlice[float32](fresh)
	require.NoError(t, err)
	assert.Equal(t, math.Float32frombits(0x7f7f7f7f), v[2], "what was never written is seen")
	m, err := DeviceMemory(d)
	require.NoError(t, err)
	assert.Positive(t, m.Allocated)
	assert.GreaterOrEqual(t, m.Peak, m.Allocated)

	FailAllocation(2)
	defer FailAllocation(0)
	c := s.Child()
	c.Zeros(d, 4)
	require.NoError(t, c.Err())
	c.Zeros(d, 4)
	assert.ErrorContains(t, c.Err(), "out of memory")
	c.Close()
}

func TestFakeDeviceCounts(t *testing.T) {
	d := fakeDevice(t, "cuda:0")
	s := NewInference()
	defer s.Close()
	ResetFake()
	end := Annotate("all")
	x := Upload(s, d, []float32{1, 2, 3, 4}, 2, 2) // nobody waits
	y := s.To(FromSlice(s, []float32{1, 2}, 2), d) // blocks
	s.Add(x, y)                                    // one launch
	s.Select(x, 0, 1)                              // a view: none
	end()
	s.Item(s.Sum(x)) // outside of the range: one launch, one read
	r := fakeCounts(t)
	all := r.Ranges["all"].Last
	assert.EqualValues(t, 1, all.Uploads)
	assert.EqualValues(t, 1, all.BlockingUploads)
	assert.EqualValues(t, 1, all.Launches)
	assert.Zero(t, all.BlockingReads)
	assert.EqualValues(t, 2, r.Launches)
	assert.EqualValues(t, 1, r.BlockingReads)
	require.NoError(t, s.Err())

	// Many tensors in one kernel, but only where their layouts agree.
	list := []Tensor{s.Zeros(d, 2, 3, 4, 4), s.Zeros(d, 5)}
	ResetFake()
	s.Call("aten::_foreach_add_.Scalar", list, 1.0)
	s.Call("aten::_foreach_add_.List", list, []Tensor{s.ZerosLike(list[0]), s.ZerosLike(list[1])})
	before := fakeCounts(t).Operators["aten::_foreach_add_"]
	assert.Equal(t, FakeOperator{2, 2}, before)
	s.Call("aten::_foreach_add_.List", list, []Tensor{s.ChannelsLast(list[0]), list[1]})
	r = fakeCounts(t)
	assert.EqualValues(t, 2+2, r.Operators["aten::_foreach_add_"].Launches)
	assert.Equal(t, []string{"aten::_foreach_add_"}, r.SlowForeach)
	require.NoError(t, s.Err())
}

// A recording does nothing; each replay does its work on the memory it was made
// with.
func TestFakeDeviceGraph(t *testing.T) {
	d := fakeDevice(t, "cuda:1")
	leave, err := OwnStream(d)
	require.NoError(t, err)
	s := NewInference()
	defer s.Close()
	sum, x := s.Zeros(d, 2), Upload(s, d, []float32{1, 2}, 2)
	g, err := Record(d, nil, func() error {
		c := NewInference()
		c.AddTo(sum, c.Scale(x, 2))
		return c.Close()
	})
	require.NoError(t, err)
	read := func() []float32 {
		v, err := ToSlice[float32](sum)
		require.NoError(t, err)
		return v
	}
	assert.Equal(t, []float32{0, 0}, read())
	require.NoError(t, g.Replay())
	Overwrite(s, x, []float32{10, 20})
	require.NoError(t, g.Replay())
	assert.Equal(t, []float32{22, 44}, read())
	g.Close()

	for name, work := range map[string]func(*Scope){
		"reading":   func(c *Scope) { c.Item(c.Sum(x)) },
		"copying":   func(c *Scope) { c.To(FromSlice(c, []float32{1}, 1), d) },
		"another":   func(c *Scope) { c.Zeros(fakeDevice(t, "cuda:0"), 1) },
		"that mask": func(c *Scope) { c.Tensor("aten::masked_select", x, c.Tensor("aten::gt.Scalar", x, 0)) },
	} {
		_, err := Record(d, nil, func() error {
			c := NewInference()
			work(c)
			return c.Close()
		})
		assert.ErrorIs(t, err, ErrNoGraph, name)
		assert.ErrorContains(t, err, "not permitted", name)
	}
	assert.Equal(t, []float32{22, 44}, read(), "what was refused did nothing")
	require.NoError(t, leave())
	_, err = Record(d, nil, func() error { return nil })
	assert.ErrorIs(t, err, ErrNoGraph, "the default stream")
	require.NoError(t, s.Err())
}
