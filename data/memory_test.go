package data

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMemoryCopiesPixels(t *testing.T) {
	set, err := NewMemory("two", []string{"a", "b"}, 1, 1, 2, []byte{1, 2, 3, 4}, []int{1, 0})
	require.NoError(t, err)
	dst := []byte{9, 9, 9}
	label, err := set.Image(1, dst)
	require.NoError(t, err)
	assert.Equal(t, 0, label)
	assert.Equal(t, []byte{3, 4, 9}, dst)
	dst[0] = 77
	_, err = set.Image(1, dst)
	require.NoError(t, err)
	assert.Equal(t, byte(3), dst[0], "the caller's buffer is not the set's")

	assert.Equal(t, "two", set.Name())
	assert.Equal(t, 2, set.Len())
	assert.Equal(t, []string{"a", "b"}, set.Classes())
}

func TestMemoryRefusesBadRequests(t *testing.T) {
	set := numbered(t, 3)
	for _, i := range []int{-1, 3} {
		_, err := set.Image(i, make([]byte, 1))
		assert.ErrorContains(t, err, "does not exist")
	}
	_, err := set.Image(0, nil)
	assert.ErrorContains(t, err, "buffer of 1 bytes")
}

func TestNewMemoryChecksSizes(t *testing.T) {
	classes := []string{"a", "b"}
	for name, make := range map[string]func() (*Memory, error){
		"no rows":        func() (*Memory, error) { return NewMemory("x", classes, 1, 0, 2, nil, nil) },
		"missing pixel":  func() (*Memory, error) { return NewMemory("x", classes, 1, 1, 2, []byte{1, 2, 3}, []int{0, 0}) },
		"missing label":  func() (*Memory, error) { return NewMemory("x", classes, 1, 1, 2, []byte{1, 2, 3, 4}, []int{0}) },
		"label too high": func() (*Memory, error) { return NewMemory("x", classes, 1, 1, 1, []byte{1}, []int{2}) },
		"negative label": func() (*Memory, error) { return NewMemory("x", classes, 1, 1, 1, []byte{1}, []int{-1}) },
	} {
		_, err := make()
		assert.ErrorIs(t, err, ErrFormat, name)
	}
}

func TestSplitString(t *testing.T) {
	assert.Equal(t, "train", Train.String())
	assert.Equal(t, "test", Test.String())
	assert.Equal(t, "Split(7)", Split(7).String())
}
