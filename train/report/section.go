package report

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"slices"
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
	Pictures        []figure // of examples
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
		Training: s.trainingCharts(), Layers: s.layerCharts(), SearchCurves: s.searchCharts(), Evolution: newEvolution(s.of(searchEpoch), append(s.task.Subnets(), genotype.Reduction)),
		Pictures: s.pictures(), Environment: s.environment(),
	}
	v.Settings, v.Changed = newSettings(c)
	if s.evaluation != nil {
		const most = 8
		v.Confusion, v.Mistakes = drawConfusion(s.evaluation), s.evaluation.mistakes(most)
		v.Activity = newActivityView(s.evaluation.Activity, s.report.Counted)
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
	return strings.Join(append(s.report.About(s.folder.Config(), s.searches()), fmt.Sprintf("seed %d", s.folder.Info().Seed)), " · ")
}

// accuracy is the score in percent: on the test data, or as it was watched last.
func (s *source) accuracy() (float64, bool) {
	if s.measured != nil {
		return s.measured.Percent(), true
	}
	at, ok := last(curve(s.of(trainEpoch), epochKey, s.report.Watched.Key))
	return at.y, ok
}

// result is the score on the test data, or what comes nearest to it.
func (s *source) result() result {
	if s.measured != nil {
		return result{percent(s.measured.Percent()), s.report.Result}
	}
	for _, one := range s.report.Results {
		if at, ok := last(curve(s.of(one.Kind), epochKey, one.Key)); ok {
			return result{percent(at.y), fmt.Sprintf("%s after epoch %.0f", one.Label, at.x)}
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
			name = upper(n.Heading())
		}
		v.Equations = append(v.Equations, cellEquations{name, strings.Join(n.Cell.Equations(), "\n")})
	}
	return v
}

// pictureDir is the folder of a run with pictures of some test examples.
const pictureDir = "pictures"

// pictures are the drawings of some test examples, inside the page.
func (s *source) pictures() []figure {
	paths, err := filepath.Glob(s.folder.Path(pictureDir, "*.png"))
	if err != nil {
		return nil // only a malformed pattern fails
	}
	slices.Sort(paths)
	var list []figure
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			s.tolerate(err)
			continue
		}
		name := template.HTMLEscapeString(strings.TrimSuffix(filepath.Base(path), ".png"))
		list = append(list, figure{name, template.HTML(fmt.Sprintf(`<img alt="%s" src="data:image/png;base64,%s"/>`,
			name, base64.StdEncoding.EncodeToString(text)))})
	}
	return list
}
