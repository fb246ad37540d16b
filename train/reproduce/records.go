package reproduce

import (
	"slices"

	"github.com/spikedhs/spikedhs/train/run"
)

// Kinds of records that a run writes, and the keys that are read of them: the one
// place that knows their names.
const (
	trainEpoch  = "train_epoch"
	searchEpoch = "search_epoch"
	dgsPhase    = "dgs_phase"

	keyEpoch    = "epoch"
	keyStep     = "step"
	keyTest     = "test_top1"
	keyNetwork  = "network_passes"
	keyLayers   = "layers"
	keyGradient = "gradient_norms"
	keySupport  = "support_shares"
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
	epoch  float64 // the epoch before which, or after which, it was
	passes int64
	layers []phaseLayer
}

// phaseLayer is what a phase did to a layer.
type phaseLayer struct {
	Layer  string    `json:"layer"`
	Before float64   `json:"before"`
	After  float64   `json:"after"`
	Shares []float64 `json:"shares"`
}

// read takes what tables and figures need from the records of a run.
func (o *Outcome) read(records []run.Record) error {
	o.Seconds = seconds(records)
	for _, r := range records {
		switch r.Kind {
		case trainEpoch:
			var e epoch
			e.number, _ = r.Fields.Float(keyEpoch)
			e.top1, e.tested = r.Fields.Float(keyTest)
			for key, into := range map[string]*map[string]float64{keyGradient: &e.gradient, keySupport: &e.support} {
				if _, ok := r.Fields[key]; ok {
					if err := r.Fields.Decode(key, into); err != nil {
						return err
					}
				}
			}
			o.epochs = append(o.epochs, e)
			if step, ok := r.Fields.Int(keyStep); ok {
				o.Steps = step
			}
		case dgsPhase:
			var p phase
			p.epoch, _ = r.Fields.Float(keyEpoch)
			p.passes, _ = r.Fields.Int(keyNetwork)
			if err := r.Fields.Decode(keyLayers, &p.layers); err != nil {
				return err
			}
			o.SearchPasses += p.passes
			o.phases = append(o.phases, p)
		}
	}
	return nil
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
