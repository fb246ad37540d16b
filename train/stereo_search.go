package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	data "github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/search/trellis"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
)

// StereoSearchResult is what a search for a stereo network found.
type StereoSearchResult struct {
	// Genotype is the decoded architecture: cells and paths of both subnets.
	Genotype genotype.Genotype
	// Folder is the run folder; genotype.json in it holds the genotype.
	Folder *run.Folder
}

// SearchStereo looks for cells and layers of the feature and the matching network by
// first-order bi-level optimisation (sections 3.3 and 4.2): in turn a step of the
// network weights w on a batch of set A and, after the warm-up, a step of alpha and
// beta on a batch of set B. The sets are blocks of frames of the training part.
func SearchStereo(ctx context.Context, job Job) (*StereoSearchResult, error) {
	defer torch.Pin()() // from the first tensor on
	j := job.withDefaults()
	if j.Resume {
		if err := j.resumeConfig(); err != nil {
			return nil, err
		}
	}
	m, err := j.setUp()
	if err != nil {
		return nil, err
	}
	sets, err := openRecordings(j.Config, j.Log)
	if err != nil {
		return nil, err
	}
	p, err := newStereoSearcher(&j, m, sets)
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

// stereoSearcher is a running search.
type stereoSearcher struct {
	job      *Job
	c        *config.Config
	net      *stereo.Supernet
	descent  *StereoSupernetStep
	onA, onB *stereoStage
	loader   *data.Loader // of set A
	setB     *data.Loader
	batches  *data.Batches // of set B, in the present pass over it
	loop     *loop
	total    int64 // weight steps of the whole search
	found    genotype.Genotype
	spread   stereoSpread
	epochOfB int
	batchOfB int
}

// stereoSpread says how decided alpha and beta are: the mean entropy as a share of
// its maximum, 1 undecided, 0 decided.
type stereoSpread struct{ alpha, beta float64 }

func newStereoSearcher(j *Job, m machine, sets *recordings) (*stereoSearcher, error) {
	c := j.Config
	p := &stereoSearcher{job: j, c: c}
	steps := stereoSearchSteps(c)
	a, b := data.Halves(evenly(sets.parts.Train, c.Search.Images), c.Stereo.HalvesBlock)
	if len(b) == 0 {
		return nil, fmt.Errorf("%w: stereo.halves_block = %d: %d training frames are not enough for sets A and B; set it lower or give more scenes",
			config.ErrInvalid, c.Stereo.HalvesBlock, len(a))
	}
	var err error
	if p.loader, err = sets.loader(c, a, steps, c.Search.Batch, uint64(c.Run.Seed)); err != nil {
		return nil, err
	}
	if p.setB, err = sets.loader(c, b, steps, c.Search.Batch, uint64(c.Run.Seed)+1); err != nil {
		return nil, err
	}
	o := StereoSearchOptions(c, sets.set.Channels(), m.precision)
	if p.net, err = stereo.NewSupernet(m.device, c.Stereo.FeatureLayers, c.Stereo.MatchingLayers, o); err != nil {
		return nil, err
	}
	if p.descent, err = NewStereoSupernetStep(p.net, c); err != nil {
		return nil, errors.Join(err, p.net.Close())
	}
	p.onA = &stereoStage{device: m.device, meter: newMeter(m.device), run: p.descent.RunWeights}
	p.onB = &stereoStage{device: m.device, meter: newMeter(m.device), run: p.descent.RunArchitecture}
	p.total = int64(c.Search.Epochs) * int64(p.loader.Batches())
	p.loop = &loop{
		job: j, device: m.device, work: newWork(p.loader, p.step), epochs: c.Search.Epochs, label: "search", key: "search",
		every:  time.Duration(c.Search.CheckpointMinutes * float64(time.Minute)),
		meters: []*meter{p.onA.meter, p.onB.meter}, words: stereoWords, ended: p.epochEnded,
		groups: []group{
			{prefix: "weights", variables: p.net.Weights()},
			{prefix: "architecture", variables: p.net.Architecture()},
			{prefix: "weights_optimizer", optimizer: p.descent.Weights},
			{prefix: "architecture_optimizer", optimizer: p.descent.Architecture},
		},
		at: position{Phase: phaseSearch, Architecture: fmt.Sprintf(
			"stereo supernet of %d and %d layers, f=%d, disparities up to %d px, stems %s, head %s, %d bins of events",
			c.Stereo.FeatureLayers, c.Stereo.MatchingLayers, o.Width, o.MaxDisparity, o.Stems, o.Head, o.Channels)},
	}
	return p, nil
}

func (p *stereoSearcher) rate() float64 {
	return torch.Cosine(p.c.Search.LR, p.c.Search.LRMin, float64(p.loop.at.Step)/float64(p.total))
}

// step is one iteration: weights on a batch of A, then alpha and beta on one of B.
func (p *stereoSearcher) step(s *torch.Scope, a *data.Batch) error {
	p.descent.Weights.SetLearningRate(p.rate())
	one := s.Child()
	err := p.onA.step(one, a)
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
	return p.onB.step(s, b)
}

// nextB is the batch of set B that goes with the present one of set A. Where B is
// the shorter one it begins anew, in another order, within an epoch of A.
func (p *stereoSearcher) nextB() (*data.Batch, error) {
	number := (int64(p.loop.at.Epoch)*int64(p.loader.Batches()) + int64(p.loop.at.Batch))
	epoch, batch := int(number/int64(p.setB.Batches())), int(number%int64(p.setB.Batches()))
	if p.batches == nil || epoch != p.epochOfB || batch != p.batchOfB {
		p.closeB()
		p.batches = p.setB.Epoch(context.Background(), epoch, batch)
	}
	b, err := p.batches.Next()
	if err == io.EOF {
		err = errors.New("set B ended too early")
	}
	p.epochOfB, p.batchOfB = epoch, batch+1
	return b, err
}

func (p *stereoSearcher) closeB() {
	if p.batches != nil {
		p.batches.Close()
		p.batches = nil
	}
}

// epochEnded decodes the architecture and writes the records of an epoch.
func (p *stereoSearcher) epochEnded(_ context.Context, facts epochFacts) (string, error) {
	p.closeB()
	a, err := p.onA.meter.read()
	if err != nil {
		return "", err
	}
	b, err := p.onB.meter.read()
	if err != nil {
		return "", err
	}
	if err := a.checkFinite("search"); err != nil {
		return "", err
	}
	if err := p.look(); err != nil {
		return "", err
	}
	fields := []run.Field{
		run.F("epoch", p.loop.at.Epoch+1), run.F("step", p.loop.at.Step), run.F("loss", a.meanLoss()), run.F("one_pixel_accuracy", a.top1()),
	}
	if b.Images > 0 {
		fields = append(fields, run.F("alpha_loss", b.meanLoss()), run.F("alpha_one_pixel_accuracy", b.top1()))
	}
	g := p.found
	fields = append(fields, run.F("lr", p.rate()), run.F("alpha_entropy", p.spread.alpha), run.F("beta_entropy", p.spread.beta),
		run.F("genotype", g.Hash()), run.F("feature_path", g.Subnet("feature").Path), run.F("matching_path", g.Subnet("matching").Path),
		run.F("feature", g.Subnet("feature").Cell.Equations()), run.F("matching", g.Subnet("matching").Cell.Equations()))
	fields = append(fields, facts.wall(a.Images+b.Images)...)
	if err := p.loop.metrics.Log("search_epoch", fields...); err != nil {
		return "", fmt.Errorf("train: metrics: %w", err)
	}
	if err := p.loop.scalars(scalar{"search/loss", a.meanLoss()}, scalar{"search/one_pixel_accuracy", a.top1()},
		scalar{"search/alpha_entropy", p.spread.alpha}, scalar{"search/beta_entropy", p.spread.beta}); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, entropy of alpha %.3f, of beta %.3f, paths %v and %v, genotype %s", stereoWords(a),
		p.spread.alpha, p.spread.beta, g.Subnet("feature").Path, g.Subnet("matching").Path, g.Hash()), nil
}

// look decodes the architecture as it is now.
func (p *stereoSearcher) look() error {
	name := p.c.Run.Name
	if name == "" {
		name = "searched on stereo scenes"
	}
	var err error
	if p.found, err = p.net.Decode(name); err != nil {
		return err
	}
	p.found.Origin = fmt.Sprintf("search of stereo, split %s, epoch %d of %d, seed %d", p.c.Stereo.Split,
		min(p.loop.at.Epoch+1, p.c.Search.Epochs), p.c.Search.Epochs, p.c.Run.Seed)
	all, err := p.net.Read()
	if err != nil {
		return err
	}
	p.spread = stereoSpread{}
	for _, alpha := range [][][]float64{all.FeatureAlpha, all.MatchingAlpha} {
		_, share, err := genotype.Entropy(alpha)
		if err != nil {
			return fmt.Errorf("train: %w", err)
		}
		p.spread.alpha += share / 2
	}
	for _, half := range []struct {
		space trellis.Space
		beta  trellis.Beta
	}{{all.Feature, all.FeatureBeta}, {all.Matching, all.MatchingBeta}} {
		share, err := betaEntropy(half.space, half.beta)
		if err != nil {
			return fmt.Errorf("train: %w", err)
		}
		p.spread.beta += share / 2
	}
	return nil
}

// betaEntropy is the mean entropy of the moves out of the levels that can be reached,
// as a share of its maximum; 0 where there is nothing to choose.
func betaEntropy(t trellis.Space, beta trellis.Beta) (float64, error) {
	probabilities, err := t.Probabilities(beta)
	if err != nil {
		return 0, err
	}
	sum, n := 0.0, 0.0
	for layer, levels := range probabilities {
		for level := range t.Sources(layer) {
			total, entropy, choices := 0.0, 0.0, 0.0
			for _, q := range levels[level] {
				total += q // 2/3 at the borders
			}
			for m, q := range levels[level] {
				if _, ok := t.Target(trellis.Move(m), level); ok {
					choices++
				}
				if q > 0 {
					entropy -= q / total * math.Log(q/total)
				}
			}
			if choices > 1 {
				sum, n = sum+entropy/math.Log(choices), n+1
			}
		}
	}
	return sum / max(n, 1), nil
}

// finish writes the genotype and its drawing.
func (p *stereoSearcher) finish() (*StereoSearchResult, error) {
	if err := p.look(); err != nil {
		return nil, err
	}
	p.found.Origin = fmt.Sprintf("search of stereo, split %s, %d epochs, seed %d", p.c.Stereo.Split, p.loop.at.Epoch, p.c.Run.Seed)
	folder := p.loop.folder
	if err := writeGenotype(folder, p.found); err != nil {
		return nil, err
	}
	result := &StereoSearchResult{Genotype: p.found, Folder: folder}
	if p.loop.full() && p.loop.at.Epoch < p.loop.epochs {
		return result, nil
	}
	if err := folder.MarkEnded(time.Now()); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return result, nil
}

func (p *stereoSearcher) close() {
	p.closeB()
	// Closing frees memory; records were synced with the last checkpoint.
	_ = p.loop.close()
	_ = p.descent.Close()
	_ = p.net.Close()
}
