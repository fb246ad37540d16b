package report

import (
	"fmt"
	"strings"
)

// facts are the numbers beside the result.
func (s *source) facts() []fact {
	facts := s.resultFacts()
	facts = append(facts, fact{Name: "epochs", Value: s.progress().String()})
	if t := s.seconds(); t > 0 {
		facts = append(facts, fact{Name: "computing time", Value: duration(t), Exact: significant(t) + " s"})
	}
	kind, name := trainEpoch, "training speed"
	if s.searches() {
		kind, name = searchEpoch, "search speed"
	}
	if speed, ok := median(curve(s.of(kind), epochKey, "images_per_s")); ok {
		unit := "images/s"
		if s.isStereo() {
			unit = "windows/s"
		}
		facts = append(facts, fact{Name: name, Value: significant(speed) + narrow + unit, Exact: "median of the epochs"})
	}
	if m := s.memory(); m > 0 {
		facts = append(facts, fact{Name: "peak memory (RSS)", Value: bytesIn(m * (1 << 20)), Exact: "largest resident memory at the end of an epoch"})
	}
	if s.model > 0 {
		facts = append(facts, fact{Name: "exported model", Value: bytesIn(float64(s.model)), Exact: "model.pt, " + grouped(s.model) + " bytes"})
	}
	if hash := s.wiring(); hash != "" && s.genotype == nil {
		facts = append(facts, fact{Name: "genotype", Value: hash, Code: true})
	}
	return facts
}

// resultFacts are the numbers about the test images.
func (s *source) resultFacts() []fact {
	if s.isStereo() {
		return s.stereoFacts()
	}
	var facts []fact
	tests := s.of(trainEpoch)
	if e := s.evaluation; e != nil {
		facts = append(facts,
			fact{Name: "test top-5", Value: percent(e.Top5)}, fact{Name: "test loss", Value: fixed(e.Loss)},
			fact{Name: "test images", Value: grouped(int64(e.Images))})
		if e.Parameters > 0 {
			facts = append(facts, fact{Name: "parameters", Value: short(e.Parameters), Exact: grouped(e.Parameters)})
		}
	} else {
		if at, ok := last(curve(tests, epochKey, "test_top5")); ok {
			facts = append(facts, fact{Name: "test top-5", Value: percent(at.y)})
		}
		if at, ok := last(curve(tests, epochKey, "test_loss")); ok {
			facts = append(facts, fact{Name: "test loss", Value: fixed(at.y)})
		}
	}
	if best, ok := highest(curve(tests, epochKey, "test_top1")); ok {
		facts = append(facts, fact{Name: fmt.Sprintf("best top-1, epoch %.0f", best.x), Value: percent(best.y)})
	}
	return facts
}

// environment is what run.json says.
func (s *source) environment() []fact {
	i := s.folder.Info()
	facts := []fact{{Name: "folder", Value: s.folder.Dir()}}
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, fact{Name: name, Value: value})
		}
	}
	add("command", commandLine(i.Command))
	add("spikedhs", i.Version)
	add("commit", i.Git)
	add("Go", i.Go)
	add("libtorch", i.Libtorch)
	add("CUDA", i.CUDA)
	add("device", i.Device)
	add("precision", i.Precision)
	if i.Threads > 0 {
		add("threads", fmt.Sprint(i.Threads))
	}
	add("seed", fmt.Sprint(i.Seed))
	add("started", moment(i.Started))
	var resumed []string
	for _, at := range i.Resumed {
		resumed = append(resumed, moment(at))
	}
	add("resumed", strings.Join(resumed, ", "))
	if i.Ended.IsZero() {
		add("ended", "not yet")
	} else {
		add("ended", moment(i.Ended))
	}
	return facts
}
