package report

// trainingCharts draws a training.
func (s *source) trainingCharts() []figure {
	epochs, steps := s.of(trainEpoch), s.of(trainStep)
	of := func(name, key string, dashed bool) series {
		return series{name: name, points: curve(epochs, epochKey, key), dashed: dashed}
	}
	return figures(
		chart{
			title: "Accuracy in %", across: "epoch", within: hundred, format: percent,
			series: []series{of("test top-1", "test_top1", false), of("train top-1", "top1", true), of("test top-5", "test_top5", false)},
		},
		chart{
			title: "Loss in nats", across: "epoch", within: positive, format: fixed,
			series: []series{of("test", "test_loss", false), of("train", "loss", true)},
		},
		chart{
			title: "Training loss of the steps in nats", across: "step", within: positive, format: fixed,
			series: []series{{name: "loss", points: curve(steps, stepKey, "loss")}},
		},
		rateChart(of("learning rate", "lr", false)),
		speedChart(of("training", "images_per_s", false)),
	)
}

// searchCharts draws a search.
func (s *source) searchCharts() []figure {
	epochs := s.of(searchEpoch)
	of := func(name, key string, dashed bool) series {
		return series{name: name, points: curve(epochs, epochKey, key), dashed: dashed}
	}
	share := func(name, key string) series {
		all := of(name, key, false)
		for i := range all.points {
			all.points[i].y *= 100
		}
		return all
	}
	return figures(
		chart{
			title: "Loss of the supernet in nats", across: "epoch", within: positive, format: fixed,
			series: []series{of("weights, set A", "loss", false), of("alpha, set B", "alpha_loss", true)},
		},
		chart{
			title: "Top-1 accuracy of the supernet in %", across: "epoch", within: hundred, format: percent,
			series: []series{of("weights, set A", "top1", false), of("alpha, set B", "alpha_top1", true)},
		},
		chart{
			title: "Entropy of alpha in % of its maximum", across: "epoch", within: hundred, format: percent,
			series: []series{share("entropy", "alpha_entropy")},
		},
		chart{
			title: "Share of skips among the kept edges in %", across: "epoch", within: hundred, zero: true, format: percent,
			series: []series{share("skips", "skip_share")},
		},
		rateChart(of("learning rate of the weights", "lr", false)),
		speedChart(of("both sets", "images_per_s", false)),
	)
}

func rateChart(s series) chart {
	return chart{title: "Learning rate", across: "epoch", series: []series{s}, within: positive, zero: true, format: significant}
}

func speedChart(s series) chart {
	return chart{title: "Images per second", across: "epoch", series: []series{s}, within: positive, zero: true, format: significant}
}
