package report

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// pictureDir is the folder of a stereo run with drawings of test frames.
const pictureDir = "pictures"

// disparities are the metrics of a stereo network, as the training stores them.
type disparities struct {
	OnePixelAccuracy   float64 `json:"one_pixel_accuracy"`
	MeanDisparityError float64 `json:"mean_disparity_error_px"`
	MeanDepthError     float64 `json:"mean_depth_error_cm"`
	MedianDepthError   float64 `json:"median_depth_error_cm"`
	Frames             int     `json:"frames"`
}

// stereoEvaluation is the result on all test frames.
type stereoEvaluation struct {
	disparities
	Loss          float64      `json:"loss"`
	Parameters    int64        `json:"parameters"`
	Epoch         int          `json:"epoch"`
	BlockMatching *disparities `json:"block_matching"`
	Constant      *disparities `json:"constant"`
}

// isStereo tells whether the run is one of event-based stereo.
func (s *source) isStereo() bool { return s.folder.Config().IsStereo() }

// loadStereo reads what a stereo run has in place of a run of classification.
func (s *source) loadStereo(evaluationPath string) {
	text, err := os.ReadFile(evaluationPath)
	if err != nil {
		s.tolerate(err)
		return
	}
	var e stereoEvaluation
	if err := json.Unmarshal(text, &e); err != nil {
		s.tolerate(fmt.Errorf("%s: %w", evaluationPath, err))
		return
	}
	s.disparities = &e
}

// stereoResult is the accuracy within 1 px, of the test frames if there is one.
func (s *source) stereoResult() result {
	if e := s.disparities; e != nil {
		return result{percent(e.OnePixelAccuracy), "of the test pixels within 1 px"}
	}
	for _, one := range []struct{ kind, key, label string }{
		{trainEpoch, "validation_one_pixel_accuracy", "of the validation pixels within 1 px"},
		{trainEpoch, "one_pixel_accuracy", "of the training pixels within 1 px"},
		{searchEpoch, "alpha_one_pixel_accuracy", "within 1 px, supernet on set B"},
		{searchEpoch, "one_pixel_accuracy", "within 1 px, supernet on set A"},
	} {
		if at, ok := last(curve(s.of(one.kind), epochKey, one.key)); ok {
			return result{percent(at.y), fmt.Sprintf("%s after epoch %.0f", one.label, at.x)}
		}
	}
	return result{absent, "no result yet"}
}

// stereoFacts are the numbers about the test frames.
func (s *source) stereoFacts() []fact {
	var facts []fact
	if e := s.disparities; e != nil {
		facts = append(facts,
			fact{Name: "mean disparity error", Value: fixed(e.MeanDisparityError) + narrow + "px"},
			fact{Name: "mean depth error", Value: significant(e.MeanDepthError) + narrow + "cm"},
			fact{Name: "median depth error", Value: significant(e.MedianDepthError) + narrow + "cm"},
			fact{Name: "test frames", Value: grouped(int64(e.Frames))})
		if b := e.BlockMatching; b != nil {
			facts = append(facts, fact{Name: "9x9 SAD, within 1 px", Value: percent(b.OnePixelAccuracy)})
		}
		if b := e.Constant; b != nil {
			facts = append(facts, fact{Name: "constant, within 1 px", Value: percent(b.OnePixelAccuracy)})
		}
		if e.Parameters > 0 {
			facts = append(facts, fact{Name: "parameters", Value: short(e.Parameters), Exact: grouped(e.Parameters)})
		}
	}
	if best, ok := highest(curve(s.of(trainEpoch), epochKey, "validation_one_pixel_accuracy")); ok {
		facts = append(facts, fact{Name: fmt.Sprintf("best validation, epoch %.0f", best.x), Value: percent(best.y)})
	}
	return facts
}

// stereoAbout says in a line what a stereo run works on.
func (s *source) stereoAbout() string {
	c := s.folder.Config()
	what := []string{fmt.Sprintf("training of %s", plural(c.Train.Epochs, "epoch")), fmt.Sprintf("width %d", c.Train.Width)}
	if s.searches() {
		what = []string{fmt.Sprintf("search of %s", plural(c.Search.Epochs, "epoch")), fmt.Sprintf("width %d", c.Search.Width)}
	}
	return strings.Join(slices.Concat([]string{"event-based stereo", "split " + c.Stereo.Split}, what, []string{
		plural(c.Stereo.Steps, "time step"), fmt.Sprintf("disparities up to %d px", c.Stereo.MaxDisparity), fmt.Sprintf("seed %d", s.folder.Info().Seed),
	}), " · ")
}

// stereoTrainingCharts draws a training.
func (s *source) stereoTrainingCharts() []figure {
	epochs, steps := s.of(trainEpoch), s.of(trainStep)
	of := func(name, key string, dashed bool) series {
		return series{name: name, points: curve(epochs, epochKey, key), dashed: dashed}
	}
	return figures(
		chart{
			title: "Pixels within 1 px in %", across: "epoch", within: hundred, format: percent,
			series: []series{of("validation", "validation_one_pixel_accuracy", false), of("train", "one_pixel_accuracy", true)},
		},
		chart{
			title: "Loss in nats", across: "epoch", within: positive, format: fixed,
			series: []series{of("validation", "validation_loss", false), of("train", "loss", true)},
		},
		chart{
			title: "Mean disparity error on the validation frames in px", across: "epoch", within: positive, format: fixed,
			series: []series{of("validation", "validation_mean_disparity_error_px", false)},
		},
		chart{
			title: "Training loss of the steps in nats", across: "step", within: positive, format: fixed,
			series: []series{{name: "loss", points: curve(steps, stepKey, "loss")}},
		},
		rateChart(of("learning rate", "lr", false)),
		speedChart(of("training", "images_per_s", false)),
	)
}

// stereoSearchCharts draws a search.
func (s *source) stereoSearchCharts() []figure {
	epochs := s.of(searchEpoch)
	of := func(name, key string, dashed bool, scale float64) series {
		points := curve(epochs, epochKey, key)
		for i := range points {
			points[i].y *= scale
		}
		return series{name: name, points: points, dashed: dashed}
	}
	return figures(
		chart{
			title: "Loss of the supernet in nats", across: "epoch", within: positive, format: fixed,
			series: []series{of("weights, set A", "loss", false, 1), of("architecture, set B", "alpha_loss", true, 1)},
		},
		chart{
			title: "Pixels of the supernet within 1 px in %", across: "epoch", within: hundred, format: percent,
			series: []series{of("weights, set A", "one_pixel_accuracy", false, 1), of("architecture, set B", "alpha_one_pixel_accuracy", true, 1)},
		},
		chart{
			title: "Entropy in % of its maximum", across: "epoch", within: hundred, format: percent,
			series: []series{of("alpha", "alpha_entropy", false, 100), of("beta", "beta_entropy", true, 100)},
		},
		rateChart(of("learning rate of the weights", "lr", false, 1)),
		speedChart(of("both sets", "images_per_s", false, 1)),
	)
}

// pictures are the drawings of test frames, inside the page.
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
