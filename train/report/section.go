package report

import (
	"bytes"
	"fmt"
	"html/template"
	"strings"

	"github.com/spikedhs/spikedhs/search/genotype"
)

// section is what the template shows of a run.
type section struct {
	ID, Name, About string
	State           string // "finished" or "unfinished"
	Warning         string // about a run that did not do all of its epochs
	Notes           []string
	Result          result
	Facts           []fact
	Genotype        *genotypeView
	Training        []figure
	Pictures        []figure // of frames, in a stereo run
	Layers          []figure // what was watched of single layers
	Confusion       template.HTML
	Mistakes        []mistake
	Activity        *activityView
	SearchCurves    []figure
	Evolution       *evolution
	Settings        []settings
	Changed         int // settings that are not the default
	Environment     []fact
	Search          *section
}

// result is the number that matters most.
type result struct{ Value, Label string }

// fact is a small value with its name.
type fact struct {
	Name, Value string
	Exact       string // the value in full, shown under the pointer
	Code        bool   // the value is for machines
}

// genotypeView is an architecture.
type genotypeView struct {
	Hash      string
	Origin    string
	Drawing   template.HTML
	Equations []cellEquations
}

type cellEquations struct {
	Name  string
	Lines string
}

func newSection(s *source, id string) *section {
	c := s.folder.Config()
	v := &section{
		ID: id, Name: s.name(), About: s.about(), State: s.progress().word(), Warning: s.progress().sentence(), Notes: s.notes,
		Result: s.result(), Facts: s.facts(), Genotype: s.genotypeView(),
		Training: s.trainingCharts(), Layers: s.layerCharts(), SearchCurves: s.searchCharts(), Evolution: newEvolution(s.of(searchEpoch)),
		Environment: s.environment(),
	}
	if s.isStereo() {
		v.Training, v.SearchCurves, v.Pictures = s.stereoTrainingCharts(), s.stereoSearchCharts(), s.pictures()
	}
	v.Settings, v.Changed = newSettings(c)
	if s.evaluation != nil {
		const most = 8
		v.Confusion, v.Mistakes = drawConfusion(s.evaluation), s.evaluation.mistakes(most)
		v.Activity = newActivityView(s.evaluation.Activity)
	}
	if s.search != nil {
		v.Search = newSection(s.search, id+"-search")
		if v.Genotype != nil && s.search.wiring() == s.wiring() {
			v.Search.Genotype = nil // it is drawn already
		}
	}
	return v
}

// about says in a line what the run works on.
func (s *source) about() string {
	if s.isStereo() {
		return s.stereoAbout()
	}
	c := s.folder.Config()
	epochs, steps, width := c.Train.Epochs, c.Network.Steps, c.Train.Width
	what := "training"
	if s.searches() {
		what, epochs, width = "search", c.Search.Epochs, c.Search.Width
		if c.Search.Steps > 0 {
			steps = c.Search.Steps
		}
	}
	return strings.Join([]string{
		c.Data.Name, what + " of " + plural(epochs, "epoch"), plural(c.Network.Nodes, "node") + " in a cell",
		fmt.Sprintf("width %d", width), plural(steps, "time step"), fmt.Sprintf("seed %d", s.folder.Info().Seed),
	}, " · ")
}

// accuracy is the top-1 accuracy on the test images in percent.
func (s *source) accuracy() (float64, bool) {
	if s.evaluation != nil {
		return s.evaluation.Top1, true
	}
	at, ok := last(curve(s.of(trainEpoch), epochKey, "test_top1"))
	return at.y, ok
}

// result is the test accuracy, or for a search what its supernet reaches.
func (s *source) result() result {
	if s.isStereo() {
		return s.stereoResult()
	}
	if s.evaluation != nil {
		return result{percent(s.evaluation.Top1), "test top-1 accuracy"}
	}
	for _, one := range []struct{ kind, key, label string }{
		{trainEpoch, "test_top1", "test top-1 accuracy"},
		{trainEpoch, "top1", "top-1 accuracy on training images"},
		{searchEpoch, "alpha_top1", "top-1 accuracy of the supernet on set B"},
		{searchEpoch, "top1", "top-1 accuracy of the supernet on set A"},
	} {
		if at, ok := last(curve(s.of(one.kind), epochKey, one.key)); ok {
			return result{percent(at.y), fmt.Sprintf("%s after epoch %.0f", one.label, at.x)}
		}
	}
	return result{absent, "no result yet"}
}

// wiring is the hash of the genotype: that of the file, or the last one decoded.
func (s *source) wiring() string {
	if s.genotype != nil {
		return s.genotype.Hash()
	}
	records := s.of(searchEpoch)
	if len(records) == 0 {
		return ""
	}
	hash, _ := records[len(records)-1].Fields.Text("genotype")
	return hash
}

// genotypeView shows the cells of all subnets, with the paths that they follow.
func (s *source) genotypeView() *genotypeView {
	if s.genotype == nil {
		return nil
	}
	g := *s.genotype
	v := &genotypeView{Hash: g.Hash(), Origin: g.Origin}
	var b bytes.Buffer
	if err := genotype.SVG(&b, g); err == nil { // it is valid: it was read from a file
		v.Drawing = template.HTML(b.String()) // the drawing escapes its texts
	}
	for _, n := range g.Subnets {
		name := "Cell"
		if len(g.Subnets) > 1 {
			name = strings.ToUpper(n.Heading()[:1]) + n.Heading()[1:]
		}
		v.Equations = append(v.Equations, cellEquations{name, strings.Join(n.Cell.Equations(), "\n")})
	}
	return v
}
