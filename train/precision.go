package train

import (
	"fmt"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
)

// float16LossScale is the factor of losses whose gradients pass through float16. Of a
// mean over some 10^5 pixels or neurons a gradient is about 1e-5 and shrinks on its way
// back, while float16 loses digits below 6e-5 and has nothing below 6e-8; and weights'
// gradients, which are clipped at a norm of 5, overflow from 65504 on. 2^10 leaves a
// factor of 64 above 1 and 1.6e4 below.
const float16LossScale = 1 << 10

// LossScale is the factor of the losses of a network, 0 for none; see [torch.LossScale].
func LossScale(p search.Precision) float64 {
	if p == search.Float16 {
		return float16LossScale
	}
	return 0
}

// setUpToUse is setUp for a network that is trained. One of float16 is used in float32
// where there is no CUDA device.
func setUpToUse(c *config.Config) (machine, error) {
	m, err := setUp(c)
	if m.precision == search.Float16 && !torch.IsCUDA(m.device) {
		m.precision = search.Float32
	}
	return m, err
}

// needsCUDA refuses float16 on the CPU, which has few of libtorch's operators for it
// and is slow in them; key is the one that asks for it.
func needsCUDA(key string, p search.Precision, d torch.Device) error {
	if p != search.Float16 || torch.IsCUDA(d) {
		return nil
	}
	return fmt.Errorf("%w: %s: float16 needs a CUDA device; on the CPU use bfloat16 or float32", config.ErrInvalid, key)
}
