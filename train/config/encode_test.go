package config

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/configs"
)

func encoded(t *testing.T, c *Config) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, c.Encode(&out))
	return out.String()
}

func TestEncodeThenParse(t *testing.T) {
	odd := Default()
	odd.Run.Name = `quotes " ' and \ and # and é and = [x]`
	odd.Run.Seed = math.MaxInt64
	odd.Search.LR, odd.Train.LR = math.SmallestNonzeroFloat64, math.MaxFloat64
	odd.Train.WeightDecay = 0.30000000000000004
	all := []*Config{Default(), odd}
	for _, name := range configs.Names() {
		preset, err := Load(name, nil)
		require.NoError(t, err)
		all = append(all, preset)
	}
	for _, c := range all {
		text := encoded(t, c)
		got, err := Parse("encoded", []byte(text))
		require.NoError(t, err)
		assert.Equal(t, c, got)
		assert.Empty(t, Diff(c, got))
		assert.Equal(t, text, encoded(t, got))
	}
}

func TestEncodeWritesEveryKeyInOrderUnderItsComment(t *testing.T) {
	lines := strings.Split(encoded(t, Default()), "\n")
	section, written := "", []string{}
	for i, line := range lines {
		switch name, _, isPair := strings.Cut(line, " = "); {
		case strings.HasPrefix(line, "["):
			section = strings.Trim(line, "[]")
		case isPair && line[0] != '#':
			written = append(written, section+"."+name)
			assert.Regexp(t, `^# .*default: .* \(.+\)$`, lines[i-1])
		}
	}
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.Name
	}
	assert.Equal(t, names, written)
}

func TestEncodeSample(t *testing.T) {
	c := Default()
	c.Search.Epochs = 3
	assert.Contains(t, encoded(t, c), "\n# The architecture search.\n[search]\n"+
		"# Length [epochs]; allowed: at least 1; default: 50 (paper 4.1.1)\nepochs = 3\n")
}

func TestDiff(t *testing.T) {
	a, b := Default(), Default()
	assert.Empty(t, Diff(a, b))
	b.Eval.Batch, b.Run.Device, b.Network.Levels = 7, "cpu", slices.Concat(a.Network.Levels, []int{2})
	assert.Equal(t, []string{"run.device", "network.levels", "eval.batch"}, Diff(a, b))
	assert.NotEmpty(t, Diff(a, b))
}

func TestValue(t *testing.T) {
	text, ok := Default().Value("network.levels")
	assert.True(t, ok)
	assert.Equal(t, "[0, 0, 1, 1, 1, 2, 2, 2]", text)
	_, ok = Default().Value("network.level")
	assert.False(t, ok)
}
