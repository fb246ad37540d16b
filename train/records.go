package train

import (
	"fmt"
	"time"

	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task"
)

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
