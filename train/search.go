package train

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task"
)

// SearchResult is what a search found.
type SearchResult struct {
	// Task is what was searched for.
	Task task.Task
	// Genotype is the decoded architecture.
	Genotype genotype.Genotype
	// Folder is the run folder; genotype.json in it holds the genotype.
	Folder *run.Folder
}

// Search looks for an architecture by first-order bi-level optimisation
// (section 3.3): in turn a step of the network weights w on a batch of set A,
// and, after the warm-up, a step of the architecture on a batch of set B: of alpha, and
// of beta where levels are searched along with the cells.
func Search(ctx context.Context, job Job) (*SearchResult, error) {
	defer torch.Pin()() // from the first tensor on
	j := job.withDefaults()
	if err := j.begin(); err != nil {
		return nil, err
	}
	m, problem, err := j.open(ctx, task.Search)
	if err != nil {
		return nil, err
	}
	p, err := newSearcher(&j, m, problem)
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
	problem task.Problem
	net     task.Supernet
	descent *SupernetStep
	onA     *repeated // the step of the weights
	onB     *repeated // the step of the architecture
	loop    *loop
	batches *data.Batches // of set B, in the present pass over it
	passOfB int
	nextOfB int
}

func newSearcher(j *Job, m machine, problem task.Problem) (*searcher, error) {
	c := j.Config
	p := &searcher{job: j, c: c, problem: problem}
	a, b, err := problem.Halves(m.device)
	if err != nil {
		return nil, err
	}
	if p.net, err = problem.Supernet(m.device, m.precision); err != nil {
		return nil, errors.Join(err, a.Close(), b.Close())
	}
	if p.descent, err = NewSupernetStep(p.net, &c.Search); err != nil {
		return nil, errors.Join(err, a.Close(), b.Close(), p.net.Close())
	}
	recorder := m.recorder(j)
	p.onA, p.onB = newRepeated(a, m, p.descent.Weights, recorder), newRepeated(b, m, p.descent.Architecture, recorder)
	p.loop = &loop{
		job: j, device: m.device, loader: a, step: p.step, c: &c.Search.Learning,
		steps: []*repeated{p.onA, p.onB}, ended: p.epochEnded, stopped: p.collapsed,
		groups: []group{
			{prefix: "weights", variables: p.net.Weights()},
			{prefix: "architecture", variables: p.net.Architecture()},
			{prefix: "weights_optimizer", optimizer: p.descent.Weights.Optimizer},
			{prefix: "architecture_optimizer", optimizer: p.descent.Architecture.Optimizer},
		},
		at: position{Phase: phaseSearch, Architecture: p.net.Identity()},
	}
	return p, nil
}

// step is one iteration (section 3.3): weights on a batch of A, then the architecture on one of B.
func (p *searcher) step(s *torch.Scope, a *data.Batch) error {
	one := s.Child()
	err := p.onA.do(one, a)
	if failed := one.Close(); err == nil {
		err = failed
	}
	if err != nil || p.loop.at.Epoch < p.c.Search.WarmupEpochs {
		return err
	}
	b, err := p.nextB()
	if err != nil {
		return err
	}
	defer b.Release()
	return p.onB.do(s, b)
}

// nextB is the batch of set B that goes with the present one of set A. Where B is
// the shorter one it begins anew, in another order, within an epoch of A.
func (p *searcher) nextB() (*data.Batch, error) {
	number := int64(p.loop.at.Epoch)*int64(p.onA.loader.Batches()) + int64(p.loop.at.Batch)
	pass, batch := int(number/int64(p.onB.loader.Batches())), int(number%int64(p.onB.loader.Batches()))
	if p.batches == nil || pass != p.passOfB || batch != p.nextOfB {
		p.closeB()
		p.batches = p.onB.loader.Epoch(context.Background(), pass, batch)
	}
	b, err := p.batches.Next()
	if err == io.EOF {
		err = errors.New("set B ended too early")
	}
	p.passOfB, p.nextOfB = pass, batch+1
	return b, err
}

func (p *searcher) closeB() {
	if p.batches != nil {
		p.batches.Close()
		p.batches = nil
	}
}

// epochEnded decodes the architecture and writes the records of an epoch.
func (p *searcher) epochEnded(_ context.Context, facts epochFacts) (string, error) {
	p.closeB()
	a, err := p.loop.reading()
	if err != nil {
		return "", err
	}
	b, err := p.onB.meter.read()
	if err != nil {
		return "", err
	}
	view, err := p.look("epoch %d of %d", min(p.loop.at.Epoch+1, p.c.Search.Epochs), p.c.Search.Epochs)
	if err != nil {
		return "", err
	}
	score, fields := p.loop.score(), []run.Field(nil)
	if b.Images > 0 {
		fields = append(fields, run.F("alpha_loss", b.meanLoss()), run.F("alpha_"+score.Key, b.percent()))
	}
	fields = append(append(fields, run.F("lr", p.loop.rate())), view.Fields...)
	if err := p.loop.record(facts, a, a.Images+b.Images, fields...); err != nil {
		return "", err
	}
	var scalars []task.Scalar
	for _, v := range view.Scalars {
		scalars = append(scalars, task.Scalar{Tag: "search/" + v.Tag, Value: v.Value})
	}
	if err := p.loop.chart(a, scalars...); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, %s, genotype %s", a.words(score), view.Words, view.Genotype.Hash()), nil
}

// look decodes the architecture as it is, and says when that was.
func (p *searcher) look(when string, epochs ...any) (task.View, error) {
	origin := fmt.Sprintf("%s, %s, seed %d", p.problem.About(), fmt.Sprintf(when, epochs...), p.c.Run.Seed)
	name := p.c.Run.Name
	if name == "" {
		name = p.problem.FoundName()
	}
	return p.net.View(name, origin)
}

// collapsed reports whether skips have taken over, where a limit is set.
func (p *searcher) collapsed() bool {
	limit := p.c.Search.SkipLimit
	if limit <= 0 || p.loop.at.Epoch <= p.c.Search.WarmupEpochs {
		return false
	}
	v, err := p.look("epoch %d", p.loop.at.Epoch)
	if err != nil || v.Skips <= limit {
		return false
	}
	p.job.Log.Warn("search stopped early: too many skips", "share", v.Skips, "limit", limit)
	return true
}

// finish writes the genotype and its drawings.
func (p *searcher) finish() (*SearchResult, error) {
	view, err := p.look("%d epochs", p.loop.at.Epoch)
	if err != nil {
		return nil, err
	}
	folder := p.loop.folder
	if err := writeGenotype(folder, view.Genotype); err != nil {
		return nil, err
	}
	result := &SearchResult{Task: p.job.task, Genotype: view.Genotype, Folder: folder}
	return result, p.loop.finish()
}

func (p *searcher) close() {
	p.closeB()
	// Closing frees memory; records were synced with the last checkpoint.
	_ = p.loop.close()
	_ = p.descent.Close()
	_ = p.net.Close()
}
