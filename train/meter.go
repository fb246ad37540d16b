package train

import (
	"fmt"
	"math"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/task"
)

// meter sums loss and correct answers on the device, so that no step waits for
// a number; they are read when somebody looks. Sums are float64: an epoch of
// ImageNet is more than float32 can count.
type meter struct {
	scope   *torch.Scope
	loss    torch.Tensor // sum over images
	correct torch.Tensor
	images  int64
}

func newMeter(d torch.Device) *meter {
	s := torch.NewInference()
	zero := func() torch.Tensor { return s.Cast(s.Zeros(d, 1), torch.Float64) }
	return &meter{scope: s, loss: zero(), correct: zero()}
}

func (m *meter) close() error { return m.scope.Close() }

func (m *meter) reset() {
	m.images = 0
	m.scope.Tensor("aten::zero_", m.loss)
	m.scope.Tensor("aten::zero_", m.correct)
}

// count adds the examples of a batch, whose loss and answers add counts.
func (m *meter) count(n int) { m.images += int64(n) }

// add sums the mean loss of a batch and what the model got right, on the device.
func (m *meter) add(s *torch.Scope, model task.Model, loss, output torch.Tensor, x task.Tensors) {
	c := s.WithoutGradient()
	defer c.Close()
	right, factor := model.Right(c, output, x)
	c.Tensor("aten::add_.Tensor", m.correct, right, torch.Named{Name: "alpha", Value: factor})
	c.Tensor("aten::add_.Tensor", m.loss, c.Detach(loss), torch.Named{Name: "alpha", Value: float64(x.N)})
}

// reading is the state of a meter as numbers.
type reading struct {
	Loss    float64 `json:"loss"`
	Correct float64 `json:"correct"`
	Images  int64   `json:"images"`
}

// since is what was added after an earlier reading.
func (r reading) since(earlier reading) reading {
	return reading{Loss: r.Loss - earlier.Loss, Correct: r.Correct - earlier.Correct, Images: r.Images - earlier.Images}
}

// meanLoss is the mean loss of an image.
func (r reading) meanLoss() float64 { return r.Loss / float64(max(r.Images, 1)) }

// percent is the score: the share that is right.
func (r reading) percent() float64 { return 100 * r.Correct / float64(max(r.Images, 1)) }

// words is a reading for people.
func (r reading) words(score task.Score) string {
	return fmt.Sprintf("loss %.4f, %s %.2f %%", r.meanLoss(), score.Words, r.percent())
}

func (m *meter) read() (reading, error) {
	loss, correct := m.scope.Item(m.loss), m.scope.Item(m.correct)
	if err := m.scope.Err(); err != nil {
		return reading{}, fmt.Errorf("train: read loss: %w", err)
	}
	return reading{Loss: loss, Correct: correct, Images: m.images}, nil
}

// restore continues from a reading.
func (m *meter) restore(r reading) {
	m.scope.Tensor("aten::fill_.Scalar", m.loss, r.Loss)
	m.scope.Tensor("aten::fill_.Scalar", m.correct, r.Correct)
	m.images = r.Images
}

// checkFinite reports a loss that ran away.
func (r reading) checkFinite(key string) error {
	if math.IsNaN(r.Loss) || math.IsInf(r.Loss, 0) {
		return fmt.Errorf("train: the loss is %v: the training diverged; try a lower %s or a %s.clip", r.Loss, key+".lr", key)
	}
	return nil
}
