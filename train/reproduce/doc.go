// Package reproduce repeats the experiments of the paper: tables 1 and 3, figures 4
// and 5, and the comparison of the searched cell with random ones.
//
// An [Experiment] is data: rows, each a configuration in the form of settings over
// those of a [Scale] on a data set. [Options.Run] trains every row with every seed,
// each in a run folder of its own, and a killed or interrupted call goes on where it
// was. [Collect] then reads the folders, and [Result.Write] leaves tables, figures,
// JSON and CSV with mean and standard deviation beside the paper's numbers:
//
//	DIR/table1/experiment.json         what was asked for
//	DIR/table1/n3s1/seed-2/            run folder of one training
//	DIR/table1/results.{md,json,csv}   and drawings *.svg
//
//	o := reproduce.Options{
//		Experiment: "table1", Scale: "small", Data: "fashion-mnist",
//		Out: "runs/small", Seeds: []int64{1, 2, 3},
//	}
//	if err := o.Run(ctx); err != nil { ... }
//	result, err := reproduce.Collect(o.Out, o.Experiment)
//
// A run that another experiment of the same DIR finished with an equal configuration
// is used and not repeated: the network without DGS of table 3 is that of table 1.
//
// With and without DGS a row takes the same number of training steps. The passes
// that DGS spends beside them are counted and stand in the tables.
package reproduce
