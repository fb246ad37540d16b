package config

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/configs"
)

// FuzzLoad feeds documents and settings to the loader. Whatever comes in, the
// loader must give a valid configuration that survives Encode, or an error of one
// line; and every key the parser sees must be found in the document.
func FuzzLoad(f *testing.F) {
	for _, name := range configs.Names() {
		preset, err := configs.Read(name)
		require.NoError(f, err)
		f.Add(string(preset), "search.epochs=3")
	}
	f.Add(tricky, "run.name='x'")
	f.Add("data.name = 'stereo'\nstereo.optimizer = 'sgd'\n[stereo.milestones]", "stereo.decay=0.1")
	f.Add("search.lr = 0x", "network.levels=[0, 1")
	f.Add("[run]\nname = \"\"\"\n\\\n  a\"\"\"", "run.name=a\nb")
	f.Add("search = { epochs = 2, # two\n warmup_epochs = 1, }", "train.lr=-nan")
	f.Add("\ufeff[\"run\"]\r\n'seed' = 1_000", "run.seed=0b11")

	f.Fuzz(func(t *testing.T, document, setting string) {
		if _, err := parse(document); err == nil && utf8.ValidString(document) {
			requireLocated(t, document)
		}
		l := newLayers()
		err := l.apply("fuzz.toml", document)
		if err == nil {
			err = l.set(setting)
		}
		var c *Config
		if err == nil {
			c, err = l.finish()
		}
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
			require.Falsef(t, strings.ContainsAny(err.Error(), "\n\r"), "%q", err)
			return
		}
		var out bytes.Buffer
		require.NoError(t, c.Encode(&out))
		again, err := Parse("encoded", out.Bytes())
		require.NoError(t, err)
		require.Equal(t, c, again)
	})
}
