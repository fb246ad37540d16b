package reproduce

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task/registry"
)

// Folders of an experiment beside those of its rows.
const (
	searchFolder    = "cell-search" // the run that finds the searched cell
	genotypesFolder = "genotypes"   // random cells
)

// kind is what a task does.
type kind string

const (
	searching kind = "search"
	training  kind = "train"
)

// task is one run.
type task struct {
	Kind   kind           `json:"kind"`
	Dir    string         `json:"dir"`
	Config *config.Config `json:"-"`

	row   Row
	seed  int64
	hash  string // of the genotype, empty where it is not found yet
	after string // Dir of the search that must be done before
}

// name is how messages call the task.
func (t *task) name() string {
	if t.Kind == searching {
		return "search of the cell"
	}
	return fmt.Sprintf("%s seed %d", t.row.Name, t.seed)
}

// epochs is the length of the task.
func (t *task) epochs() int {
	if t.Kind == searching {
		return t.Config.Search.Epochs
	}
	return t.Config.Train.Epochs
}

// plan is all that an experiment has to do.
type plan struct {
	dir    string // of the experiment
	base   *base
	rows   []Row
	tasks  []*task
	random []genotype.Genotype
}

// plan expands rows and seeds into runs, and names the data set. Nothing is written.
func (o *Options) plan() (*plan, error) {
	e, err := FindExperiment(o.Experiment)
	if err != nil {
		return nil, err
	}
	scale, err := FindScale(o.Scale)
	if err != nil {
		return nil, err
	}
	p := &plan{dir: filepath.Join(o.Out, e.Name)}
	if p.rows, err = e.rows(o.Only); err != nil {
		return nil, err
	}
	if p.base, err = scale.base(e, o.Data, o.Set); err != nil {
		return nil, err
	}
	o.Data = p.base.name
	if err := p.cells(o.Seeds[0]); err != nil {
		return nil, err
	}
	// Seed by seed, so that an unfinished experiment has all rows of the first seeds.
	for _, seed := range o.Seeds {
		for _, r := range p.rows {
			t, err := p.training(r, seed)
			if err != nil {
				return nil, fmt.Errorf("%s, row %s: %w", e.Name, r.Name, err)
			}
			p.tasks = append(p.tasks, t)
		}
	}
	return p, nil
}

// cells draws the random cells and plans the search, as far as rows want them.
func (p *plan) cells(seed int64) error {
	most, searched := 0, false
	for _, r := range p.rows {
		most, searched = max(most, r.Cell.Random), searched || r.Cell.Searched
	}
	c, err := p.base.load(Row{}, seed)
	if err != nil {
		return err
	}
	if most > 0 {
		// The draw has a seed of its own: --seeds must not change the cells of a row.
		drawn := *c
		drawn.Run.Seed = 1
		if p.random, err = registry.Of(c).Draw(&drawn, most); err != nil {
			return err
		}
	}
	if searched {
		p.tasks = append(p.tasks, &task{Kind: searching, Dir: p.search(), Config: c, seed: seed})
	}
	return nil
}

func (p *plan) search() string { return filepath.Join(p.dir, searchFolder) }

// genotype is the file of a random cell.
func (p *plan) genotype(g genotype.Genotype) string {
	return filepath.Join(p.dir, genotypesFolder, g.Name+".json")
}

// training plans a training.
func (p *plan) training(r Row, seed int64) (*task, error) {
	c, err := p.base.load(r, seed)
	if err != nil {
		return nil, err
	}
	t := &task{Kind: training, Dir: filepath.Join(p.dir, r.Name, fmt.Sprintf("seed-%d", seed)), Config: c, row: r, seed: seed}
	c.Run.Name = fmt.Sprintf("%s %s, seed %d", filepath.Base(p.dir), r.Name, seed)
	switch {
	case r.Cell.Searched:
		c.Train.Genotype, t.after = filepath.Join(p.search(), run.GenotypeFile), p.search()
		return t, c.Validate()
	case r.Cell.Random > 0:
		g := p.random[r.Cell.Random-1]
		c.Train.Genotype = p.genotype(g)
		return t.take(g)
	}
	g, err := genotype.Preset(r.Cell.Preset)
	if err != nil {
		return nil, err
	}
	c.Train.Genotype = r.Cell.Preset
	return t.take(g)
}

// take makes the network the one of a genotype, as the training would.
func (t *task) take(g genotype.Genotype) (*task, error) {
	t.hash = g.Hash()
	if err := registry.Of(t.Config).Adopt(t.Config, g, slog.New(slog.DiscardHandler)); err != nil {
		return nil, err
	}
	return t, t.Config.Validate()
}

// writeCells leaves the random cells, with drawings, in the folder.
func (p *plan) writeCells() error {
	if len(p.random) == 0 {
		return nil
	}
	return SaveGenotypes(filepath.Join(p.dir, genotypesFolder), p.random)
}

// SaveGenotypes writes each genotype and its drawing as NAME.json and NAME.svg into a
// folder, which it makes where it is missing.
func SaveGenotypes(dir string, set []genotype.Genotype) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, g := range set {
		path := filepath.Join(dir, g.Name)
		if err := g.Save(path + ".json"); err != nil {
			return err
		}
		if err := run.WriteFileAtomic(path+".svg", func(w io.Writer) error { return genotype.SVG(w, g) }); err != nil {
			return err
		}
	}
	return nil
}
