// Package run is the run folder: everything a run leaves behind, and how it is
// written so that a crash at any time leaves it readable.
//
//	config.toml         the effective configuration
//	run.json            what ran, where and when: see [Info]
//	metrics.jsonl       one JSON object a line: see [Metrics] and [ReadMetrics]
//	genotype.json       the genotype
//	checkpoints/        weights and state
//	model.pt            the exported model
//	report.html         the report
//	events.out.tfevents.*  the same numbers for TensorBoard: see [Events]
//
// [Create] makes a new folder, [Open] opens an existing one. Whole files are
// written with [WriteFileAtomic], so each is either the old or the new one.
//
// Two runs with the same seed give the same metrics.jsonl apart from the object
// "wall" at the end of every record, which holds all that depends on the clock and
// the machine.
package run
