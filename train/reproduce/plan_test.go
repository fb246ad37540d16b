package reproduce

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/train/config"
)

// TestEveryRowOfEveryScale expands all rows for all scales and data sets.
func TestEveryRowOfEveryScale(t *testing.T) {
	for _, s := range Scales() {
		for _, e := range Experiments() {
			for _, data := range s.DataNames(e) {
				o := Options{Experiment: e.Name, Scale: s.Name, Data: data, Out: t.TempDir(), Seeds: []int64{1, 2}}
				p, err := o.plan()
				require.NoError(t, err, "%s %s %s", e.Name, s.Name, data)
				trainings := 0
				for _, one := range p.tasks {
					require.NoError(t, one.Config.Validate())
					require.Equal(t, data, one.Config.Data.Name)
					require.Equal(t, one.seed, one.Config.Run.Seed)
					if one.Kind == training {
						trainings++
					}
				}
				require.Equal(t, 2*len(e.Rows), trainings)
			}
		}
	}
}

// TestRowsAreWhatTheySay checks what makes each row of table 1 special.
func TestRowsAreWhatTheySay(t *testing.T) {
	s, err := FindScale("paper")
	require.NoError(t, err)
	b, err := s.base(table1(), cifar10, nil)
	require.NoError(t, err)
	require.Equal(t, 5, b.deepest, "c5 is the paper's cell 5")
	sets := map[string][]string{}
	for _, r := range table1().Rows {
		sets[r.Name] = b.of(r)
	}
	require.Contains(t, sets["n3"], "train.width=48")
	require.Contains(t, sets["n4"], "train.width=36")
	require.Contains(t, sets["n4s1"], `dgs.layers=["stem0"]`)
	require.Contains(t, sets["n3c5"], `dgs.layers=["cell5.node0"]`)
	require.Contains(t, sets["n3auto"], `dgs.layers=["auto"]`)
	require.Contains(t, sets["binary"], "network.tau=0")
	require.Contains(t, sets["ann"], "network.activation=relu")
	require.Contains(t, sets["n3"], `dgs.watch=["stem0"]`)
	require.NotContains(t, sets["ann"], `dgs.watch=["stem0"]`, "it has no neurons to watch")
	for name, list := range sets {
		searches := slices.ContainsFunc(list, func(one string) bool { return strings.HasPrefix(one, "dgs.layers=") })
		require.Equal(t, strings.Contains(name, "s1") || strings.Contains(name, "c5") || strings.Contains(name, "auto"), searches, name)
		require.Equal(t, searches, slices.Contains(list, "dgs.every=5"), name)
	}
	c, err := b.load(rowN3(), 3)
	require.NoError(t, err)
	require.Equal(t, 100, c.Train.Epochs)
	require.Equal(t, 6, c.Network.Steps)
}

// TestSharedRowsAreEqual: what several experiments have in common is trained once.
func TestSharedRowsAreEqual(t *testing.T) {
	plans := map[string]*plan{}
	experiments, err := ExperimentsOn("small", "fashion-mnist")
	require.NoError(t, err)
	for _, e := range experiments {
		o := Options{Experiment: e.Name, Scale: "small", Data: "fashion-mnist", Out: t.TempDir(), Seeds: []int64{1}}
		p, err := o.plan()
		require.NoError(t, err)
		plans[e.Name] = p
	}
	of := func(experiment, row string) *task {
		i := slices.IndexFunc(plans[experiment].tasks, func(one *task) bool { return one.row.Name == row && one.Kind == training })
		if i < 0 {
			return nil
		}
		return plans[experiment].tasks[i]
	}
	compared := 0
	for _, pair := range [][4]string{
		{"table1", "n3", "table3", "dspike"}, {"table1", "n3s1", "table3", "dspike-dgs"}, {"table1", "ann", "table3", "ann"},
		{"table1", "n3", "fig4", "n3"}, {"table1", "n3s1", "fig4", "n3s1"}, {"table1", "n4", "fig5", "n4"}, {"table1", "n3", "search", "published"},
	} {
		a, b := of(pair[0], pair[1]), of(pair[2], pair[3])
		require.Equal(t, a == nil, b == nil, pair)
		if a == nil {
			continue
		}
		compared++
		require.Equal(t, a.hash, b.hash, pair)
		require.Subset(t, ownKeys, config.Diff(a.Config, b.Config), pair)
	}
	require.GreaterOrEqual(t, compared, 3)
	require.NotEqual(t, of("search", "random-01").hash, of("search", "random-02").hash)
}

func TestNamesThatDoNotExist(t *testing.T) {
	for want, o := range map[string]Options{
		`unknown experiment "table9"; choose one of table1, table3, fig4, fig5, search, stereo`: {Experiment: "table9", Scale: "smoke"},
		`unknown scale "huge"; choose one of smoke, small, paper`:                               {Experiment: "table1", Scale: "huge"},
		`unknown data set of the scale small "svhn"`:                                            {Experiment: "table1", Scale: "small", Data: "svhn"},
		`unknown row of table1 "n5"; choose one of n4, n3, n4s1`:                                {Experiment: "table1", Scale: "smoke", Only: []string{"n3", "n5"}},
	} {
		o.Out = t.TempDir()
		err := o.Check()
		require.ErrorIs(t, err, ErrUnknown)
		require.ErrorContains(t, err, want)
	}
	for want, change := range map[string]func(*Options){
		"give each seed once":   func(o *Options) { o.Seeds = []int64{1, 1} },
		"from 0 on":             func(o *Options) { o.Seeds = []int64{-1} },
		"decides over run.seed": func(o *Options) { o.Set = []string{"run.seed=4"} },
		"did you mean":          func(o *Options) { o.Set = []string{"train.epoch=4"} },
	} {
		o := Options{Experiment: "table1", Scale: "smoke", Out: t.TempDir()}
		change(&o)
		err := o.Check()
		require.True(t, errors.Is(err, config.ErrInvalid), "%v", err)
		require.ErrorContains(t, err, want)
	}
	require.ErrorContains(t, Options{Experiment: "table1", Scale: "smoke"}.Check(), "--out")
	require.ErrorContains(t, Options{Experiment: "table1", Scale: "smoke", Out: "x", Jobs: 2}.Check(), "Worker")
}

func TestSummarize(t *testing.T) {
	require.Equal(t, Summary{}, Summarize(nil))
	require.Equal(t, "–", Summary{}.String())
	require.Equal(t, Summary{N: 1, Mean: 3}, Summarize([]float64{3}))
	require.Equal(t, "3.00", Summarize([]float64{3}).String())
	s := Summarize([]float64{2, 4, 4, 4, 5, 5, 7, 9}) // squares around 5 sum up to 32
	require.Equal(t, 8, s.N)
	require.InDelta(t, 5, s.Mean, 1e-12)
	require.InDelta(t, 2.13808993529939517, s.Deviation, 1e-12) // the root of 32/7
	require.Equal(t, "5.00 ± 2.14", s.String())
	require.Equal(t, "95.35 ± 0.05", Number{95.35, 0.05}.String())
	require.Equal(t, "95.88", Number{Mean: 95.88}.String())
}
