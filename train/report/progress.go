package report

import "fmt"

// progress is how far a run has come.
type progress struct {
	done, planned int
	ended         bool
}

func (s *source) progress() progress {
	c := s.folder.Config()
	p := progress{ended: !s.folder.Info().Ended.IsZero()}
	records := s.of(trainEpoch)
	p.planned = c.Train.Epochs
	if s.searches() {
		records, p.planned = s.of(searchEpoch), c.Search.Epochs
	}
	if at, ok := last(curve(records, epochKey, epochKey)); ok {
		p.done = int(at.x)
	}
	return p
}

// searches reports whether the run is a search and nothing else. Before the first
// record only the configuration can tell: a training names its genotype or has it
// in the folder from the start.
func (s *source) searches() bool {
	if len(s.of(trainEpoch)) > 0 || s.search != nil {
		return false
	}
	return len(s.of(searchEpoch)) > 0 || s.genotype == nil && s.folder.Config().Train.Genotype == ""
}

// word is the state in a word.
func (p progress) word() string {
	if p.ended {
		return "finished"
	}
	return "unfinished"
}

// String is the number of epochs, with the planned number where it differs.
func (p progress) String() string {
	if p.done == p.planned {
		return fmt.Sprint(p.done)
	}
	return fmt.Sprintf("%d of %d", p.done, p.planned)
}

// sentence says what a reader should know before the numbers; empty for a run that
// did all it was to do.
func (p progress) sentence() string {
	switch {
	case !p.ended && p.done == 0:
		return fmt.Sprintf("This run is unfinished: none of %s is complete yet.", plural(p.planned, "epoch"))
	case !p.ended:
		return fmt.Sprintf("This run is unfinished: the report shows %d of %s.", p.done, plural(p.planned, "epoch"))
	case p.done > 0 && p.done < p.planned:
		return fmt.Sprintf("This run ended early, after %d of %s.", p.done, plural(p.planned, "epoch"))
	}
	return ""
}
