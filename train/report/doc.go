// Package report makes one HTML file of one or more run folders: what a run
// reached, the genotype it found or trained, the curves, the confusion matrix,
// how the search changed its mind, the configuration and the environment.
//
//	err := report.WriteFile("runs/demo/report.html", "runs/demo")
//
// The file is self-contained: drawings are SVG, there is no JavaScript and nothing
// is fetched. It follows the reader's light or dark mode and prints. The same
// folders always give the same bytes.
//
// A run that is still going, or was stopped, gives a report too, which says so.
// Of all files of a run folder only run.json and config.toml are needed. Kinds of
// records that this package does not know are passed over, and a file that cannot
// be read becomes a note in the report.
//
// A run folder named "search" inside a run folder, as the demo leaves it, is shown
// with the outer run.
package report
