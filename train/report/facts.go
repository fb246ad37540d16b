package report

import (
	"fmt"
	"strings"

	"github.com/spikedhs/spikedhs/train/config"
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
		facts = append(facts, fact{Name: name, Value: significant(speed) + narrow + s.report.Examples + "/s", Exact: "median of the epochs"})
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

// resultFacts are the numbers about the test data.
func (s *source) resultFacts() []fact {
	var facts []fact
	if s.measured != nil {
		for _, f := range s.measured.Facts() {
			value := formats[f.Format](f.Value)
			if f.Unit != "" {
				value += narrow + f.Unit
			}
			facts = append(facts, fact{Name: f.Name, Value: value})
		}
		if n := s.evaluation.Parameters; n > 0 {
			facts = append(facts, fact{Name: "parameters", Value: short(n), Exact: grouped(n)})
		}
	}
	if best, ok := highest(curve(s.of(trainEpoch), epochKey, s.report.Watched.Key)); ok {
		facts = append(facts, fact{Name: fmt.Sprintf("%s, epoch %.0f", s.report.Watched.Name, best.x), Value: percent(best.y)})
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

// settings are the keys of a section of the configuration.
type settings struct {
	Section string
	Keys    []setting
}

// setting is a key and its value.
type setting struct {
	Name, Value string
	Default     string // if the value is another one
	Doc         string
}

// newSettings lists the whole configuration and counts what is not the default.
func newSettings(c *config.Config) (all []settings, changed int) {
	for _, key := range config.Keys() {
		if len(all) == 0 || all[len(all)-1].Section != key.Section() {
			all = append(all, settings{Section: key.Section()})
		}
		value, _ := c.Value(key.Name) // it is one of the keys
		s := setting{Name: key.Name, Value: value, Doc: key.Doc}
		if key.Unit != "" {
			s.Doc += " (" + key.Unit + ")"
		}
		if usual := key.Default(); usual != value {
			s.Default = usual
			changed++
		}
		group := &all[len(all)-1]
		group.Keys = append(group.Keys, s)
	}
	return all, changed
}
