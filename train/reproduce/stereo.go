package reproduce

import "github.com/spikedhs/spikedhs/search/genotype"

// events are recordings of two event cameras; the paper's are of MVSEC.
const (
	events      = "stereo"
	eventsTitle = "event-based stereo"
)

// scenes are the data set of made scenes, in the scales below the paper's.
func scenes(settings ...string) set {
	return set{name: events, preset: "stereo-synthetic", settings: append(oneThread, settings...), stem: "feature.stem0"}
}

var (
	smokeScenes = scenes("train.epochs=2", "train.width=2", "search.epochs=2", "search.warmup_epochs=1", "search.images=8",
		"stereo.validation_frames=4")
	smallScenes = scenes("train.epochs=4")
	mvsec       = set{name: events, preset: "mvsec-paper", stem: "feature.stem0"}
)

// disparity is an experiment: that of the events of two cameras.
func disparity() Experiment {
	published := Cell{Preset: genotype.PresetStereo}
	return Experiment{
		Name: "stereo", Title: "Event-based stereo: disparity and energy",
		About: "The network of the paper with and without DGS on its first stem, and the one that a search of these data finds.",
		Rows: []Row{
			{Name: "published", Label: "SpikeDHS-Stereo", About: "the paper's cells and paths", Settings: []string{nowhere}, Cell: published,
				Paper: map[string]Number{events: {Mean: paperFamilies["dspike"].without}}},
			{Name: "published-dgs", Label: "SpikeDHS-Stereo with DGS", About: "DGS on the first stem", Settings: []string{onStem}, DGS: true, Cell: published,
				Paper: map[string]Number{events: {Mean: paperFamilies["dspike"].with}}},
			{Name: "searched", Label: "searched", About: "found by a search of these data", Settings: []string{nowhere}, Cell: Cell{Searched: true}},
		},
		tables: disparityTable, figures: bars("Pixels within 1 px in percent"),
	}
}

// disparityTable is accuracy, error and energy of the rows of stereo.
func disparityTable(r *Result) []Table {
	return []Table{r.table(r.Title, r.rows(), r.compared("within 1 px [%]",
		numeric("paper [%]", func(row *RowResult) string { return number(row.Paper, events) }),
		numeric("disparity error [px]", mean("%.3f", 1, metric("mean_disparity_error_px"))),
		numeric("firing rate [%]", mean("%.1f", 100, of(firingRate))),
		numeric("energy of a frame [mJ]", mean("%.4f", 1, of(energy))),
		numeric("paper [mJ]", func(row *RowResult) string {
			if row.Paper == nil {
				return absent
			}
			return paperStereoEnergy
		}),
	), append(r.notesOn("pixels"), paperStereo)...)}
}
