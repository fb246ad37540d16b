package export

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFloatsAreFloatsInTorchScript(t *testing.T) {
	for want, x := range map[string]float64{"0.5": 0.5, "0.0": 0, "1.0": 1, "1e+20": 1e20} {
		assert.Equal(t, want, float(x))
	}
	assert.Equal(t, "0.20000000000000001", float(0.2))
}
