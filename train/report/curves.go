package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task"
)

// trainingCharts draws a training: what its task declares, and what every training has.
func (s *source) trainingCharts() []figure {
	return figures(append(s.charts(trainEpoch, s.report.Training),
		s.chart(trainStep, task.Chart{
			Title: "Training loss of the steps in nats", Format: task.Fixed, Steps: true, Lines: []task.Line{{Name: "loss", Key: "loss"}},
		}),
		s.chart(trainEpoch, task.Chart{Title: "Learning rate", Format: task.Rate, Lines: []task.Line{{Name: "learning rate", Key: "lr"}}}),
		s.chart(trainEpoch, task.Chart{Title: s.speed(), Format: task.Rate, Lines: []task.Line{{Name: "training", Key: "images_per_s"}}}),
	)...)
}

// searchCharts draws a search in the same way.
func (s *source) searchCharts() []figure {
	return figures(append(s.charts(searchEpoch, s.report.Search),
		s.chart(searchEpoch, task.Chart{
			Title: "Learning rate", Format: task.Rate, Lines: []task.Line{{Name: "learning rate of the weights", Key: "lr"}},
		}),
		s.chart(searchEpoch, task.Chart{Title: s.speed(), Format: task.Rate, Lines: []task.Line{{Name: "both sets", Key: "images_per_s"}}}),
	)...)
}

// speed is the title of the charts of the speed.
func (s *source) speed() string { return upper(s.report.Examples) + " per second" }

func (s *source) charts(kind string, of []task.Chart) []chart {
	var list []chart
	for _, c := range of {
		list = append(list, s.chart(kind, c))
	}
	return list
}

// chart takes the lines of a chart from the records of a kind.
func (s *source) chart(kind string, of task.Chart) chart {
	c := chartOf(of)
	over := epochKey
	if of.Steps {
		c.across, over = "step", stepKey
	}
	for _, line := range of.Lines {
		c.series = append(c.series, s.series(kind, over, line))
	}
	return c
}

func (s *source) series(kind, over string, line task.Line) series {
	points := curve(s.of(kind), over, line.Key)
	if line.Share {
		for i := range points {
			points[i].y *= 100
		}
	}
	return series{name: line.Name, points: points, dashed: line.Dashed}
}

// chartOf is a chart over epochs without its lines.
func chartOf(of task.Chart) chart {
	c := chart{title: of.Title, across: "epoch", within: positive, format: formats[of.Format]}
	switch of.Format {
	case task.Percent:
		c.within = hundred
	case task.Portion:
		c.within, c.zero = hundred, true
	case task.Rate:
		c.zero = true
	}
	return c
}

// formats write numbers.
var formats = map[task.Format]func(float64) string{
	task.Percent: percent, task.Portion: percent, task.Fixed: fixed, task.Significant: significant, task.Rate: significant,
	task.Count: func(x float64) string { return grouped(int64(x)) },
}

// layerEpoch is the kind of the records about watched layers.
const layerEpoch = "layer_epoch"

// layerCharts draws what was watched of single layers: the temperatures of their
// surrogates, which a search moves, and how well gradients get through them.
func (s *source) layerCharts() []figure {
	layers, records := s.byLayer()
	suffix := ""
	if len(layers) > mostLayers {
		suffix = fmt.Sprintf(" (%d of %d layers)", mostLayers, len(layers))
		layers, records = restless(layers, records)
	}
	of := func(key string, factor float64) []series {
		var all []series
		for i, name := range layers {
			points := curve(records[i], epochKey, key)
			for k := range points {
				points[k].y *= factor
			}
			all = append(all, series{name: name, points: points})
		}
		return all
	}
	return figures(
		chart{title: "Temperature of the surrogate gradient" + suffix, across: "epoch", within: positive, format: fixed, series: of("temperature", 1)},
		chart{title: "Norm of the gradient of a layer's weights" + suffix, across: "epoch", within: positive, zero: true, format: significant, series: of("gradient_norm", 1)},
		chart{title: "Neurons inside of the surrogate's support in %" + suffix, across: "epoch", within: hundred, format: percent, series: of("support", 100)},
	)
}

// mostLayers is how many lines a chart of layers has at most.
const mostLayers = 8

// restless keeps the layers whose temperature moved furthest from where it was first,
// in their order.
func restless(layers []string, records [][]run.Record) (some []string, of [][]run.Record) {
	order, moved := make([]int, len(layers)), make([]float64, len(layers))
	for i := range layers {
		order[i] = i
		points := curve(records[i], epochKey, "temperature")
		for _, p := range points {
			if d := math.Abs(p.y - points[0].y); finite(d) {
				moved[i] = max(moved[i], d)
			}
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(moved[b], moved[a]) })
	order = order[:mostLayers]
	slices.Sort(order)
	for _, i := range order {
		some, of = append(some, layers[i]), append(of, records[i])
	}
	return some, of
}

// byLayer sorts the records about layers, in the order in which layers first appear.
func (s *source) byLayer() (layers []string, records [][]run.Record) {
	for _, r := range s.of(layerEpoch) {
		name, ok := r.Fields.Text("layer")
		if !ok {
			continue
		}
		i := slices.Index(layers, name)
		if i < 0 {
			i = len(layers)
			layers, records = append(layers, name), append(records, nil)
		}
		records[i] = append(records[i], r)
	}
	return layers, records
}
