package main

import (
	"errors"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
)

// isStereo tells whether the configuration of search or train, or of the run that is
// resumed, is one of event-based stereo.
func isStereo(c *cli.Context, cfg *config.Config) (bool, error) {
	if cfg != nil || !c.Bool("resume") {
		return cfg != nil && cfg.IsStereo(), nil
	}
	folder, err := run.Open(c.String("out"))
	if err != nil {
		return false, err
	}
	return folder.Config().IsStereo(), nil
}

// runIsStereo tells whether --run is a run of event-based stereo.
func runIsStereo(c *cli.Context) (bool, error) {
	dir, err := required(c, "run")
	if err != nil {
		return false, err
	}
	folder, err := run.Open(dir)
	if err != nil {
		return false, err
	}
	return folder.Config().IsStereo(), nil
}

// searchStereo searches cells and paths of a stereo network.
func searchStereo(c *cli.Context, o *console, cfg *config.Config) error {
	if c.IsSet("random") {
		return usagef("--random draws genotypes for classification; leave it out with data.name = \"stereo\"")
	}
	found, err := train.SearchStereo(c.Context, newJob(c, o, cfg))
	if err != nil {
		return err
	}
	dir := found.Folder.Dir()
	o.printf("%s\n", genotype.Text(found.Genotype))
	o.printf("genotype  %s\n", found.Folder.Path(run.GenotypeFile))
	o.printf("drawing   %s\n", found.Folder.Path(train.DrawingSVG))
	return o.object(map[string]any{
		"out": dir, "genotype": found.Genotype, "hash": found.Genotype.Hash(),
		"feature_path": found.Genotype.Subnet("feature").Path, "matching_path": found.Genotype.Subnet("matching").Path,
		"file": filepath.Join(dir, run.GenotypeFile), "drawings": []string{train.DrawingSVG},
	})
}

// stereoTraining is the result of a stereo training as one object.
type stereoTraining struct {
	Out        string                  `json:"out"`
	Genotype   string                  `json:"genotype"`
	Steps      int64                   `json:"steps"`
	FirstLoss  *float64                `json:"first_loss,omitempty"`
	LastLoss   *float64                `json:"last_loss,omitempty"`
	Ended      bool                    `json:"ended"`
	Evaluation *train.StereoEvaluation `json:"evaluation,omitempty"`
}

// trainStereo trains a stereo network.
func trainStereo(c *cli.Context, o *console, cfg *config.Config) error {
	trained, err := train.TrainStereo(c.Context, newJob(c, o, cfg))
	if err != nil {
		return existing(err)
	}
	dir := trained.Folder.Dir()
	result := stereoTraining{Out: dir, Genotype: trained.Genotype.Hash(), Steps: trained.Steps, Ended: !trained.Folder.Info().Ended.IsZero()}
	o.printf("genotype  %s (%s), paths %v and %v\n", trained.Genotype.Name, result.Genotype, trained.Genotype.Subnet("feature").Path, trained.Genotype.Subnet("matching").Path)
	o.printf("steps     %s\n", thousands(trained.Steps))
	losses, err := stepLosses(trained.Folder)
	if err != nil {
		return err
	}
	if n := len(losses); n > 0 {
		result.FirstLoss, result.LastLoss = &losses[0].loss, &losses[n-1].loss
		o.printf("loss      %.4f in the first %d steps, %.4f in the last %d\n", losses[0].loss, losses[0].steps, losses[n-1].loss, losses[n-1].steps)
	}
	if result.Ended {
		result.Evaluation = &trained.Evaluation
		printStereoEvaluation(o, trained.Evaluation)
	}
	o.printf("run       %s\n", dir)
	if result.Ended {
		o.printf("next      spikedhs eval --run %s, spikedhs report %[1]s\n", dir)
	} else {
		o.printf("next      repeat the command with --resume and a larger --max-steps, or none, to go on\n")
	}
	return o.object(result)
}

// evalStereo measures the stereo network of a run on its test frames.
func evalStereo(c *cli.Context, o *console) (err error) {
	trained, err := train.OpenStereo(c.Context, c.String("run"), c.String("checkpoint"), c.String("device"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, trained.Close()) }()
	e, err := trained.Evaluate(c.Context, o.progress)
	if err != nil {
		return err
	}
	printStereoEvaluation(o, e)
	return o.object(e)
}

// printStereoEvaluation prints the metrics of the network beside the baselines.
func printStereoEvaluation(o *console, e train.StereoEvaluation) {
	o.printf("\n%-16s  %8s  %14s  %14s  %16s\n", "", "1PA %", "disparity px", "mean depth cm", "median depth cm")
	line := func(name string, m *train.DisparityMetrics) {
		if m != nil {
			o.printf("%-16s  %8.2f  %14.3f  %14.2f  %16.2f\n", name, m.OnePixelAccuracy, m.MeanDisparityError, m.MeanDepthError, m.MedianDepthError)
		}
	}
	line("network", &e.DisparityMetrics)
	line("9x9 SAD", e.BlockMatching)
	line("constant", e.Constant)
	o.printf("\nframes      %s\n", thousands(e.Frames))
	o.printf("parameters  %s\n", thousands(e.Parameters))
	if e.NearZero > 0 {
		o.printf("near zero   %s pixels below 0.5 px, whose depth means nothing\n", thousands(e.NearZero))
	}
	if e.Checkpoint != "" {
		o.printf("weights     %s, after epoch %d\n", e.Checkpoint, e.Epoch)
	}
}
