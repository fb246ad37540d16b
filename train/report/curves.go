package report

import "github.com/spikedhs/spikedhs/train/task"

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
