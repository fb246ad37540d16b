package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// write puts a TOML file into a fresh folder and returns its path.
func write(t *testing.T, name, document string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(document), 0o600))
	return path
}

// requireInvalid checks that an error is one line and wraps ErrInvalid.
func requireInvalid(t *testing.T, err error) string {
	t.Helper()
	require.ErrorIs(t, err, ErrInvalid)
	require.NotContains(t, err.Error(), "\n")
	return err.Error()
}

func TestLoadNothingGivesDefaults(t *testing.T) {
	c, err := Load("", nil)
	require.NoError(t, err)
	assert.Equal(t, Default(), c)
}

func TestLoadLayers(t *testing.T) {
	path := write(t, "mine.toml", "run.seed = 7\n[search]\nepochs = 20\nlr = 1\n[network]\nlevels = [0, 1]\n")
	c, err := Load(path, []string{"search.epochs=30", "train.flip=false", "network.levels=[0, 0, 1]"})
	require.NoError(t, err)
	want := Default()
	want.Run.Seed, want.Search.Epochs, want.Search.LR = 7, 30, 1
	want.Train.Flip, want.Network.Levels = false, []int{0, 0, 1}
	assert.Equal(t, want, c)
}

func TestLoadSource(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("cifar10-paper", []byte("run.seed = 5"), 0o600))
	require.NoError(t, os.WriteFile("mine", []byte("run.seed = 6"), 0o600))

	preset, err := Load("cifar10-paper", nil)
	require.NoError(t, err)
	assert.Equal(t, "cifar10", preset.Data.Name, "a preset goes before a file of its name")
	file, err := Load("./cifar10-paper", nil)
	require.NoError(t, err)
	assert.EqualValues(t, 5, file.Run.Seed, "a slash makes it a file")
	bare, err := Load("mine", nil)
	require.NoError(t, err)
	assert.EqualValues(t, 6, bare.Run.Seed)

	for source, want := range map[string]string{
		"cifar":              `there is no preset and no file "cifar"; the presets are cifar10-dvs, cifar10-n3, `,
		"cifar10-paper.toml": `there is no file "cifar10-paper.toml"; did you mean the preset cifar10-paper?`,
		"none/mine.toml":     `there is no file "none/mine.toml"`,
		"./":                 `cannot read "./": is a directory`,
	} {
		_, err := Load(source, nil)
		assert.Contains(t, requireInvalid(t, err), want, source)
	}
}

func TestLoadMistakes(t *testing.T) {
	for name, c := range map[string]struct{ document, want string }{
		"unknown key":     {"# mine\n\n[search]\nepoch = 3\n", "mine.toml:4: unknown key search.epoch; did you mean search.epochs?"},
		"unknown section": {"\n[serach]\nepochs = 3\n", "mine.toml:2: unknown section serach; did you mean search?"},
		"no section":      {"\nepochs = 3\n", "mine.toml:2: unknown key epochs; did you mean search.epochs or train.epochs?"},
		"wrong section":   {"[train]\nseed = 3\n", "mine.toml:2: unknown key train.seed; did you mean run.seed?"},
		"wrong case":      {"[train]\nLR = 3\n", "mine.toml:2: unknown key train.LR; did you mean train.lr?"},
		"nothing near":    {"[train]\nsomething_else_entirely = 3\n", "mine.toml:2: unknown key train.something_else_entirely"},
		"not a table":     {"\n\nsearch = 3\n", "mine.toml:3: search wants a table, not the integer 3"},
		"array of tables": {"\n[[search]]\nepochs = 3\n", "mine.toml:2: search wants a table, not a list of tables"},
		"integer":         {"[search]\nepochs = \"ten\"\n", `mine.toml:2: search.epochs wants an integer, not the string "ten"`},
		"not whole":       {"[search]\nepochs = 2.5\n", "mine.toml:2: search.epochs wants an integer, not the number 2.5"},
		"number":          {"[search]\nlr = true\n", "mine.toml:2: search.lr wants a number, not the boolean true"},
		"boolean":         {"[train]\nflip = 1\n", "mine.toml:2: train.flip wants true or false, not the integer 1"},
		"string":          {"[data]\nname = 2024-05-01\n", "mine.toml:2: data.name wants a string, not a date or time"},
		"list":            {"[network]\nlevels = 2\n", "mine.toml:2: network.levels wants a list, not the integer 2"},
		"list element":    {"[network]\nlevels = [0, 'x']\n", "mine.toml:2: network.levels wants a list, each element an integer, not a list of 2 elements"},
		"below a key":     {"[search.epochs]\nx = 1\n", "mine.toml:1: search.epochs wants an integer, not a table"},
		"syntax":          {"[search]\nepochs = \n", "mine.toml:2: expected value but found '\\n' instead"},
		"twice":           {"[search]\nepochs = 1\nlr = 1\nepochs = 2\n", "mine.toml:4: Key 'search.epochs' has already been defined."},
		"value":           {"[search]\n\nbatch = 0\n", "mine.toml:3: search.batch = 0: allowed is at least 1"},
		"conflict":        {"[search]\nepochs = 5\nwarmup_epochs = 5\n", "mine.toml:3: search.warmup_epochs = 5: must be below search.epochs = 5"},
		"in order": {"[train]\nz = 1\n[search]\na = 1\nlr = 'x'\n",
			`mine.toml:2: unknown key train.z | `},
		"long text": {"[search]\nepochs = '" + strings.Repeat("ä", 500) + "'", `ä…"`},
		"multi-line text": {"[search]\nlr = \"\"\"\na\nb\"\"\"\nepochs = 1.5\n",
			`mine.toml:2: search.lr wants a number, not the string "a\nb" | `},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(write(t, "mine.toml", c.document), nil)
			assert.Contains(t, requireInvalid(t, err), c.want)
		})
	}
}

func TestParse(t *testing.T) {
	c, err := Parse("checkpoint", []byte("[run]\nseed = 3"))
	require.NoError(t, err)
	assert.EqualValues(t, 3, c.Run.Seed)
	_, err = Parse("checkpoint", []byte("[run]\nseed = -3"))
	assert.Equal(t, "invalid configuration: checkpoint:2: run.seed = -3: allowed is at least 0", requireInvalid(t, err))
	_, err = Parse("checkpoint", []byte("[run]\nsed = 3"))
	assert.Contains(t, requireInvalid(t, err), "checkpoint:2: unknown key run.sed; did you mean run.seed?")
}

// TestSettings applies settings one at a time: each changes one key to a value, none
// for the default, or is a mistake.
func TestSettings(t *testing.T) {
	for _, c := range []struct{ setting, value, mistake string }{
		{"search.epochs=3", "3", ""},
		{" train.lr = 1e-2 ", "0.01", ""},
		{"train.lr=1", "1.0", ""},
		{"train.flip=false", "false", ""},
		{"network.levels=[0,1, 2]", "[0, 1, 2]", ""},
		{"run.device=cuda:1", `"cuda:1"`, ""},
		{"run.device='cpu'", `"cpu"`, ""},
		{`run.name="with \"quotes\""`, `"with \"quotes\""`, ""},
		{"run.name=two words = one name", `"two words = one name"`, ""},
		{"run.name=2024", `"2024"`, ""},
		{"run.name=2024-05-01", `"2024-05-01"`, ""},
		{"run.name=true", `"true"`, ""},
		{"run.name=", `""`, ""},
		{"data.path=/data/Fashion # MNIST", `"/data/Fashion # MNIST"`, ""},
		{"search.epochs", "", "--set search.epochs: want section.key=value"},
		{"=3", "", "--set =3: want section.key=value"},
		{"search.epoch=3", "", "--set search.epoch=3: unknown key search.epoch; did you mean search.epochs?"},
		{"epochs=3", "", "--set epochs=3: unknown key epochs; did you mean search.epochs or train.epochs?"},
		{"serach.epochs=3", "", "did you mean search.epochs?"},
		{"search.epochs=ten", "", `--set search.epochs=ten: search.epochs wants an integer, not the string "ten"`},
		{"search.epochs=", "", `search.epochs wants an integer, not the string ""`},
		{"search.epochs=1.5", "", "search.epochs wants an integer, not the number 1.5"},
		{"search.epochs=0", "", "--set search.epochs=0: search.epochs = 0: allowed is at least 1"},
		{`run.name="open`, "", `"\"open" is not a TOML value`},
		{"search.lr=1\ntrain.lr=2", "", `--set "search.lr=1\ntrain.lr=2": search.lr wants a number, not the string "1\ntrain.lr=2"`},
		{"run.name=\xff", "", `--set "run.name=\xff": run.name = `},
		{"network.levels=[0,2]", "", "network.levels = [0, 2]: allowed is a list that starts at 0 or 1"},
		{"network.levels={a=1}", "", "network.levels wants a list, not a table"},
		{"run.device=gpu", "", `run.device = "gpu": allowed is auto, cpu, cuda or cuda:N`},
		{"train.lr=inf", "", "train.lr = inf: allowed is above 0"},
		{"train.lr=nan", "", "train.lr = nan: allowed is above 0"},
		{"run.seed=9223372036854775808", "", "run.seed wants an integer"},
	} {
		if c.mistake != "" {
			_, err := Load("", []string{c.setting})
			assert.Contains(t, requireInvalid(t, err), c.mistake, c.setting)
			continue
		}
		l := newLayers()
		require.NoError(t, l.set(c.setting), c.setting)
		changed := Diff(Default(), l.c)
		if c.value == `""` {
			assert.Empty(t, changed)
			continue
		}
		require.Len(t, changed, 1, c.setting)
		got, _ := l.c.Value(changed[0])
		assert.Equal(t, c.value, got, c.setting)
	}
}
