package reproduce

import (
	"fmt"
	"slices"

	"github.com/spikedhs/spikedhs/train/run"
)

// Kinds of records that a run writes, and the keys that are read of them: the one
// place that knows their names.
const (
	trainEpoch  = "train_epoch"
	searchEpoch = "search_epoch"
	layerEpoch  = "layer_epoch" // a watched layer at the end of an epoch
	dgsPhase    = "dgs"         // what a DGS phase did to a layer

	keyEpoch    = "epoch" // of dgsPhase: epochs done before the phase
	keyStep     = "step"
	keyTest     = "test_top1"
	keyLayer    = "layer"
	keyGradient = "gradient_norm"
	keySupport  = "support"
	keyBefore   = "before"
	keyAfter    = "after"
	// Of the whole phase: the record of each of its layers has the same numbers.
	keyNetwork = "network_passes"
	keySingle  = "layer_passes"
)

// epoch is the record of an epoch of a training.
type epoch struct {
	number float64
	top1   float64 // on the test images, in percent
	tested bool
	// Of the watched layers, by name.
	gradient, support map[string]float64
}

// phase is the record of a DGS phase.
type phase struct {
	epoch  float64 // epochs done before it
	passes int64   // through the network
	layers []phaseLayer
}

// phaseLayer is what a phase did to the temperature of a layer.
type phaseLayer struct {
	Layer         string
	Before, After float64
}

// read takes what tables and figures need from the records of a run.
func (o *Outcome) read(records []run.Record) error {
	o.Seconds = seconds(records)
	for _, r := range records {
		number, _ := r.Fields.Float(keyEpoch)
		switch r.Kind {
		case trainEpoch:
			e := o.at(number)
			e.top1, e.tested = r.Fields.Float(keyTest)
			if step, ok := r.Fields.Int(keyStep); ok {
				o.Steps = step
			}
		case layerEpoch:
			layer, ok := r.Fields.Text(keyLayer)
			if !ok {
				return fmt.Errorf("a record of kind %s names no layer", r.Kind)
			}
			e := o.at(number)
			e.gradient[layer], _ = r.Fields.Float(keyGradient)
			e.support[layer], _ = r.Fields.Float(keySupport)
		case dgsPhase:
			var l phaseLayer
			var named, before, after bool
			l.Layer, named = r.Fields.Text(keyLayer)
			l.Before, before = r.Fields.Float(keyBefore)
			l.After, after = r.Fields.Float(keyAfter)
			if !named || !before || !after {
				return fmt.Errorf("a record of kind %s lacks its layer or temperatures", r.Kind)
			}
			if n := len(o.phases); n == 0 || o.phases[n-1].epoch != number {
				passes, _ := r.Fields.Int(keyNetwork)
				single, _ := r.Fields.Int(keySingle)
				o.phases = append(o.phases, phase{epoch: number, passes: passes})
				o.SearchPasses += passes
				o.LayerPasses += single
			}
			p := &o.phases[len(o.phases)-1]
			p.layers = append(p.layers, l)
		}
	}
	return nil
}

// at is the epoch of a number, which it makes where it is new.
func (o *Outcome) at(number float64) *epoch {
	if n := len(o.epochs); n == 0 || o.epochs[n-1].number != number {
		o.epochs = append(o.epochs, epoch{number: number, gradient: map[string]float64{}, support: map[string]float64{}})
	}
	return &o.epochs[len(o.epochs)-1]
}

// seconds is the time of a run until its last record, interruptions left out.
func seconds(records []run.Record) float64 {
	for _, r := range slices.Backward(records) {
		if x, ok := r.Wall.Float("seconds"); ok {
			return x
		}
	}
	return 0
}
