package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSettings(t *testing.T) {
	for setting, want := range map[string]string{
		"search.epochs=3":                 "3",
		" train.lr = 1e-2 ":               "0.01",
		"train.lr=1":                      "1.0",
		"train.flip=false":                "false",
		"network.levels=[0,1, 2]":         "[0, 1, 2]",
		"run.device=cuda:1":               `"cuda:1"`,
		"run.device='cpu'":                `"cpu"`,
		`run.name="with \"quotes\""`:      `"with \"quotes\""`,
		"run.name=two words = one name":   `"two words = one name"`,
		"run.name=2024":                   `"2024"`,
		"run.name=2024-05-01":             `"2024-05-01"`,
		"run.name=true":                   `"true"`,
		"run.name=":                       `""`,
		"data.path=/data/Fashion # MNIST": `"/data/Fashion # MNIST"`,
	} {
		l := newLayers()
		require.NoError(t, l.set(setting), setting)
		changed := Diff(Default(), l.c)
		if want == `""` {
			assert.Empty(t, changed)
			continue
		}
		require.Len(t, changed, 1, setting)
		got, _ := l.c.Value(changed[0])
		assert.Equal(t, want, got, setting)
	}
}

func TestSettingMistakes(t *testing.T) {
	for setting, want := range map[string]string{
		"search.epochs":                "--set search.epochs: want section.key=value",
		"=3":                           "--set =3: want section.key=value",
		"search.epoch=3":               "--set search.epoch=3: unknown key search.epoch; did you mean search.epochs?",
		"epochs=3":                     "--set epochs=3: unknown key epochs; did you mean search.epochs or train.epochs?",
		"serach.epochs=3":              "did you mean search.epochs?",
		"search.epochs=ten":            `--set search.epochs=ten: search.epochs wants an integer, not the string "ten"`,
		"search.epochs=":               `search.epochs wants an integer, not the string ""`,
		"search.epochs=1.5":            "search.epochs wants an integer, not the number 1.5",
		"search.epochs=0":              "--set search.epochs=0: search.epochs = 0: allowed is at least 1",
		`run.name="open`:               `"\"open" is not a TOML value`,
		"search.lr=1\ntrain.lr=2":      `--set "search.lr=1\ntrain.lr=2": search.lr wants a number, not the string "1\ntrain.lr=2"`,
		"run.name=\xff":                `--set "run.name=\xff": run.name = `,
		"network.levels=[0,2]":         "network.levels = [0, 2]: allowed is a list that starts at 0 or 1",
		"network.levels={a=1}":         "network.levels wants a list, not a table",
		"run.device=gpu":               `run.device = "gpu": allowed is auto, cpu, cuda or cuda:N`,
		"train.lr=inf":                 "train.lr = inf: allowed is above 0",
		"train.lr=nan":                 "train.lr = nan: allowed is above 0",
		"run.seed=9223372036854775808": "run.seed wants an integer",
	} {
		_, err := Load("", []string{setting})
		assert.Contains(t, requireInvalid(t, err), want, setting)
	}
}
