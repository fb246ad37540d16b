package train

import (
	"fmt"
	"math"
	"time"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/run"
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

// noteEvery is the number of steps between records of the loss.
const noteEvery = 10

// reading is what the step of the weights has summed up, an error where the training diverged.
func (l *loop) reading() (reading, error) {
	r, err := l.steps[0].meter.read()
	if err == nil {
		err = r.checkFinite(l.at.Phase)
	}
	return r, err
}

// record writes the record of an epoch of so many images.
func (l *loop) record(facts epochFacts, r reading, images int64, more ...run.Field) error {
	fields := append([]run.Field{
		run.F("epoch", l.at.Epoch+1), run.F("step", l.at.Step), run.F("loss", r.meanLoss()), run.F(l.score().Key, r.percent()),
	}, more...)
	fields = append(append(fields, run.Wall("images_per_s", float64(images)/facts.seconds)), facts.memory.fields()...)
	return l.log(l.at.Phase+"_epoch", fields...)
}

// log writes a record.
func (l *loop) log(kind string, fields ...run.Field) error {
	if err := l.metrics.Log(kind, fields...); err != nil {
		return fmt.Errorf("train: metrics: %w", err)
	}
	return nil
}

// chart writes loss and score of an epoch to TensorBoard, and more.
func (l *loop) chart(r reading, more ...task.Scalar) error {
	return l.scalars(append([]task.Scalar{
		{Tag: l.at.Phase + "/loss", Value: r.meanLoss()}, {Tag: l.at.Phase + "/" + l.score().Key, Value: r.percent()},
	}, more...)...)
}

// look records the loss now and then, and stops a training that diverged.
func (l *loop) look() error {
	note := ""
	if l.at.Step%noteEvery == 0 {
		r, err := l.reading()
		if err != nil {
			return err
		}
		if err := l.note(r); err != nil {
			return err
		}
		note = r.words(l.score())
	}
	l.job.Progress.Add(1, note)
	return nil
}

// note records the mean loss since the last such record of the epoch.
func (l *loop) note(r reading) error {
	since := r.since(l.at.Noted)
	seconds := time.Since(l.noted).Seconds()
	l.at.Noted, l.noted = r, time.Now()
	return l.log(l.at.Phase+"_step", run.F("step", l.at.Step), run.F("loss", since.meanLoss()),
		run.Wall("images_per_s", float64(since.Images)/seconds))
}

// scalars writes numbers to TensorBoard at the present step.
func (l *loop) scalars(values ...task.Scalar) error {
	for _, v := range values {
		if err := l.events.Scalar(l.at.Step, v.Tag, v.Value); err != nil {
			return fmt.Errorf("train: tensorboard: %w", err)
		}
	}
	return nil
}
