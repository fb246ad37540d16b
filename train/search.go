package train

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
)

// SearchResult is what a search found.
type SearchResult struct {
	// Genotype is the decoded architecture.
	Genotype genotype.Genotype
	// Folder is the run folder; genotype.json in it holds the genotype.
	Folder *run.Folder
}

// Search looks for an architecture by first-order bi-level optimisation
// (section 3.3): in turn a step of the network weights w on a batch of set A,
// and, after the warm-up, a step of the architecture weights alpha on a batch
// of set B. With search.layer_search the architecture is alpha and beta: a level for
// each cell is searched along with the cells.
func Search(ctx context.Context, job Job) (*SearchResult, error) {
	defer torch.Pin()() // from the first tensor on
	j := job.withDefaults()
	if err := j.refuseStereo(); err != nil {
		return nil, err
	}
	if j.Resume {
		if err := j.resumeConfig(); err != nil {
			return nil, err
		}
	}
	m, err := j.setUp()
	if err != nil {
		return nil, err
	}
	sets, err := openImagesAt(ctx, j.Config, searchSteps(j.Config), j.Log)
	if err != nil {
		return nil, err
	}
	p, err := newSearcher(&j, m, sets)
	if err != nil {
		return nil, err
	}
	defer p.close()
	if err := p.loop.start(m); err != nil {
		return nil, err
	}
	if err := p.loop.run(ctx); err != nil {
		return nil, err
	}
	return p.finish()
}

// searcher is a running search.
type searcher struct {
	job     *Job
	c       *config.Config
	net     Supernet
	name    string // of the supernet, in checkpoints
	descent *SupernetStep
	onA     *stage // the step of the weights
	onB     *stage // the step of alpha
	loop    *loop
	setB    *data.Loader
	batches *data.Batches // of set B, in the present epoch
	total   int64         // weight steps of the whole search
	found   genotype.Genotype
}

func newSearcher(j *Job, m machine, sets *images) (*searcher, error) {
	c := j.Config
	p := &searcher{job: j, c: c}
	set := sets.train
	if c.Search.Images > 0 && c.Search.Images < set.Len() {
		var err error
		if set, err = data.Take(set, c.Search.Images, uint64(c.Run.Seed)); err != nil {
			return nil, err
		}
	}
	a, b := data.Halves(set, uint64(c.Run.Seed))
	augment := data.Augment{CropPadding: c.Train.CropPadding, Flip: c.Train.Flip}
	loaderA, err := sets.loader(c, a, c.Search.Batch, uint64(c.Run.Seed), augment)
	if err != nil {
		return nil, err
	}
	loaderB, err := sets.loader(c, b, c.Search.Batch, uint64(c.Run.Seed)+1, augment)
	if err != nil {
		return nil, err
	}
	o := SearchOptions(c, sets.channels, len(sets.train.Classes()), m.precision)
	if p.net, p.name, err = newSupernet(c, m.device, o, sets); err != nil {
		return nil, err
	}
	if p.descent, err = NewSupernetStep(p.net, &c.Search); err != nil {
		return nil, err
	}
	recorder := m.recorder(j)
	if p.onA, err = p.newStage(m, loaderA, p.descent.Weights, p.descent.LowerByWeights, recorder); err != nil {
		return nil, err
	}
	if p.onB, err = p.newStage(m, loaderB, p.descent.Alphas, p.descent.LowerByAlphas, recorder); err != nil {
		return nil, err
	}
	p.setB = p.onB.feed.loader
	p.total = int64(c.Search.Epochs) * int64(loaderA.Batches())
	p.loop = &loop{
		job: j, device: m.device, work: newWork(p.onA.feed.loader, p.step), epochs: c.Search.Epochs, label: "search", key: "search",
		every:  time.Duration(c.Search.CheckpointMinutes * float64(time.Minute)),
		meters: []*meter{p.onA.meter, p.onB.meter}, stages: []*stage{p.onA, p.onB},
		ended: p.epochEnded, stopped: p.collapsed,
		warn: func() { warnOfCorrupt(j.Log, data.Train, p.onA.feed.loader.Set()) },
		at:   position{Phase: phaseSearch, Architecture: p.name},
	}
	p.loop.groups = []group{
		{prefix: "weights", variables: p.net.Weights()},
		{prefix: "architecture", variables: p.net.Architecture()},
		{prefix: "weights_optimizer", optimizer: p.descent.Weights},
		{prefix: "architecture_optimizer", optimizer: p.descent.Alphas},
	}
	return p, nil
}

// newStage feeds the batches of a loader to one of the two steps.
func (p *searcher) newStage(m machine, loader *data.Loader, o torch.Optimizer, work descent, r *recorder) (*stage, error) {
	feed, err := newFeed(p.c, m.device, loader, p.c.Search.Batch)
	if err != nil {
		return nil, err
	}
	return newStage(feed, m, o, work, r), nil
}

// step is one iteration: weights on a batch of A, then alpha on a batch of B.
func (p *searcher) step(s *torch.Scope, a *data.Batch) error {
	c := &p.c.Search
	p.descent.Weights.SetLearningRate(torch.Cosine(c.LR, c.LRMin, float64(p.loop.at.Step)/float64(p.total)))
	one := s.Child()
	err := p.onA.step(one, a)
	if failed := one.Close(); err == nil {
		err = failed
	}
	if err != nil || p.loop.at.Epoch < c.WarmupEpochs {
		return err
	}
	b, err := p.nextB()
	if err != nil {
		return err
	}
	defer b.Release()
	return p.onB.step(s, b)
}

// nextB is the next batch of set B, which keeps pace with set A.
func (p *searcher) nextB() (*data.Batch, error) {
	if p.batches == nil {
		p.batches = p.setB.Epoch(context.Background(), p.loop.at.Epoch, p.loop.at.Batch%p.setB.Batches())
	}
	b, err := p.batches.Next()
	if err == io.EOF {
		err = fmt.Errorf("set B ended before set A")
	}
	return b, err
}

// epochEnded decodes the architecture and writes the records of an epoch.
func (p *searcher) epochEnded(_ context.Context, facts epochFacts) (string, error) {
	if p.batches != nil {
		p.batches.Close()
		p.batches = nil
	}
	a, err := p.loop.meters[0].read()
	if err != nil {
		return "", err
	}
	b, err := p.loop.meters[1].read()
	if err != nil {
		return "", err
	}
	if err := a.checkFinite("search"); err != nil {
		return "", err
	}
	view, err := p.look()
	if err != nil {
		return "", err
	}
	fields := []run.Field{
		run.F("epoch", p.loop.at.Epoch+1), run.F("step", p.loop.at.Step), run.F("loss", a.meanLoss()), run.F("top1", a.top1()),
	}
	if b.Images > 0 {
		fields = append(fields, run.F("alpha_loss", b.meanLoss()), run.F("alpha_top1", b.top1()))
	}
	fields = append(fields,
		run.F("lr", torch.Cosine(p.c.Search.LR, p.c.Search.LRMin, float64(p.loop.at.Step)/float64(p.total))),
		run.F("alpha_entropy", view.entropy), run.F("skip_share", view.skip),
		run.F("genotype", p.found.Hash()), run.F("normal", p.found.Normal().Equations()),
	)
	if p.found.Reduction() != nil {
		fields = append(fields, run.F("reduction", p.found.Reduction().Equations()))
	}
	fields = append(append(fields, view.layerFields(p.found)...), facts.wall(a.Images+b.Images)...)
	if err := p.loop.metrics.Log("search_epoch", fields...); err != nil {
		return "", fmt.Errorf("train: metrics: %w", err)
	}
	scalars := []scalar{
		{"search/loss", a.meanLoss()}, {"search/top1", a.top1()},
		{"search/alpha_entropy", view.entropy}, {"search/skip_share", view.skip},
	}
	if view.beta != nil {
		scalars = append(scalars, scalar{"search/beta_entropy", *view.beta})
	}
	if err := p.loop.scalars(scalars...); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, entropy of alpha %.3f, skips %.0f %%, %sgenotype %s", a, view.entropy, 100*view.skip, view.layerWords(p.found), p.found.Hash()), nil
}

// view is what the architecture weights say at the moment.
type view struct {
	entropy float64 // mean over the cells, 1 is undecided, 0 decided
	skip    float64 // share of skips among the kept edges
	// beta is the entropy of the moves between the levels, on the same scale; nil
	// where layers are not searched.
	beta *float64
}

func (p *searcher) look() (view, error) {
	normal, reduction, err := p.net.Alphas()
	if err != nil {
		return view{}, err
	}
	name := p.c.Run.Name
	if name == "" {
		name = "searched on " + p.c.Data.Name
	}
	if p.found, err = p.net.Decode(name); err != nil {
		return view{}, err
	}
	p.found.Origin = fmt.Sprintf("search on %s, epoch %d of %d, seed %d", p.c.Data.Name, p.loop.at.Epoch+1, p.c.Search.Epochs, p.c.Run.Seed)
	cells := []genotype.Cell{p.found.Normal()}
	alphas := [][][]float64{normal}
	if p.found.Reduction() != nil {
		cells, alphas = append(cells, *p.found.Reduction()), append(alphas, reduction)
	}
	var v view
	for i, cell := range cells {
		_, share, err := genotype.Entropy(alphas[i])
		if err != nil {
			return view{}, fmt.Errorf("train: %w", err)
		}
		v.entropy += share / float64(len(cells))
		v.skip += genotype.SkipShare(cell) / float64(len(cells))
	}
	v.beta, err = p.lookAtLayers()
	return v, err
}

// collapsed reports whether skips have taken over, where a limit is set.
func (p *searcher) collapsed() bool {
	limit := p.c.Search.SkipLimit
	if limit <= 0 || p.loop.at.Epoch <= p.c.Search.WarmupEpochs {
		return false
	}
	v, err := p.look()
	if err != nil || v.skip <= limit {
		return false
	}
	p.job.Log.Warn("search stopped early: too many skips", "share", v.skip, "limit", limit)
	return true
}

// finish writes the genotype and its drawings.
func (p *searcher) finish() (*SearchResult, error) {
	if _, err := p.look(); err != nil {
		return nil, err
	}
	p.found.Origin = fmt.Sprintf("search on %s, %d epochs, seed %d", p.c.Data.Name, p.loop.at.Epoch, p.c.Run.Seed)
	folder := p.loop.folder
	if err := writeGenotype(folder, p.found); err != nil {
		return nil, err
	}
	result := &SearchResult{Genotype: p.found, Folder: folder}
	if p.loop.full() {
		return result, nil
	}
	if err := folder.MarkEnded(time.Now()); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return result, nil
}

func (p *searcher) close() {
	if p.batches != nil {
		p.batches.Close()
	}
	// Closing frees memory; records were synced with the last checkpoint.
	_ = p.loop.close()
	_ = p.descent.Close()
	_ = p.net.Close()
}
