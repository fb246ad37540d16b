package data

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestShape(t *testing.T) {
	for name, want := range map[string][4]int{
		"mnist": {1, 28, 28, 10}, "fashion-mnist": {1, 28, 28, 10}, "cifar10": {3, 32, 32, 10},
		"cifar100": {3, 32, 32, 100}, "cifar100-coarse": {3, 32, 32, 20}, "imagenet": {3, 224, 224, 1000},
	} {
		c, h, w, classes, err := Shape(name)
		require.NoError(t, err)
		assert.Equal(t, want, [4]int{c, h, w, classes}, name)
	}
	for _, name := range Names() {
		_, _, _, _, err := Shape(name)
		assert.NoError(t, err, name)
	}
	_, _, _, _, err := Shape("cifar11")
	assert.ErrorIs(t, err, ErrUnknown)
}
