package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/configs"
	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train/config"
)

// eachCommand visits the commands that do something, by what the user calls them.
func eachCommand(commands []*cli.Command, above string, visit func(name string, c *cli.Command)) {
	for _, c := range commands {
		name := strings.TrimSpace(above + " " + c.Name)
		if len(c.Subcommands) == 0 {
			visit(name, c)
		}
		eachCommand(c.Subcommands, name, visit)
	}
}

// detail is what a command adds to the sentence of a flag.
var detail = regexp.MustCompile("[:,;(].*$")

// One name of a flag is one thing in all commands: of one type, with sentences that begin
// alike and do not repeat what package cli says of defaults.
func TestFlagsAreAlike(t *testing.T) {
	first := map[string]string{}
	eachCommand(newApp(nil, io.Discard, io.Discard).Commands, "", func(command string, c *cli.Command) {
		for _, flag := range c.Flags {
			name, usage := flag.Names()[0], flag.(cli.DocGenerationFlag).GetUsage()
			require.NotEmpty(t, usage, "%s --%s", command, name)
			assert.NotContains(t, usage, "default", "%s --%s: the default is a field of its own", command, name)
			sentence := fmt.Sprintf("%T %s", flag, strings.TrimSpace(detail.ReplaceAllString(usage, "")))
			if first[name] == "" {
				first[name] = sentence
			}
			assert.Equal(t, first[name], sentence, "%s --%s", command, name)
			text := flag.String()
			assert.LessOrEqual(t, strings.Count(text, "default"), 1, text)
		}
	})
	assert.Contains(t, first, "out")
	assert.NotContains(t, first, "output", "results go to --out")
	assert.Equal(t, []string{"*cli.GenericFlag"}, strings.Fields(first["sensor"])[:1])
}

// Earlier spellings of flags are those of flags that are there, are shown nowhere, and mean
// the same.
func TestEarlierSpellings(t *testing.T) {
	app := newApp(nil, io.Discard, io.Discard)
	for old, now := range renamed {
		words := strings.Fields(old)
		group, flag := strings.Join(words[:len(words)-1], " "), words[len(words)-1]
		tried := 0
		eachCommand(app.Commands, "", func(name string, c *cli.Command) {
			has := func(flag string) bool {
				return slices.ContainsFunc(c.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), strings.TrimPrefix(flag, "--")) })
			}
			if name != group && !strings.HasPrefix(name, group+" ") || !has(now) {
				return
			}
			tried++
			assert.False(t, has(flag), "%s has both %s and %s", name, flag, now)
			line := func(flag string) []string {
				return interspersed(app, append([]string{"spikedhs"}, strings.Fields(name+" "+flag+" value word")...))
			}
			assert.Equal(t, line(now), line(flag), old)
		})
		assert.Positive(t, tried, "%s: no such command", old)
	}
}

func TestSensor(t *testing.T) {
	for line, want := range map[string]string{
		"346x260": "346x260", "34": "", "34 --sensor 35": "34x35", "34x35 --sensor 36": "error", "0x3": "error", "3x": "error", "3x4x5": "error", "wide": "error",
	} {
		var s sensor
		got := ""
		for _, text := range strings.Split(line, " --sensor ") {
			if err := s.Set(text); err != nil {
				got = "error"
				assert.ErrorContains(t, err, "346x260")
			}
		}
		if got == "" {
			got = s.String()
		}
		assert.Equal(t, want, got, line)
	}
	t.Chdir(t.TempDir())
	r := done(t, "config", "print", "--sensor", "34x35")
	assert.Regexp(t, `(?m)^sensor = \[34, 35\]`, r.stdout)
}

func TestInterspersed(t *testing.T) {
	for line, want := range map[string]string{
		"":                             "",
		"-h":                           "-h",
		"frob -x":                      "frob -x",
		"report a b":                   "report -- a b",
		"report a --out f b":           "report --out=f -- a b",
		"report a --out=f b":           "report --out=f -- a b",
		"report a --json b -v":         "report --json -v -- a b",
		"report a -- --json":           "report -- a --json",
		"report --out":                 "report --out",
		"data info cifar10 --dir x":    "data info --dir=x -- cifar10",
		"data --help":                  "data --help",
		"infer - --model m --index -3": "infer --model=m --index=-3 -- -",
		"train --set a=1 --set b=2":    "train --set=a=1 --set=b=2",
		"export --output f":            "export --out=f",
		"report a -output=f":           "report --out=f -- a",
		"demo --yes --json":            "demo --fetch --json",
		"infer --size 96x132 a":        "infer --sensor=132x96 -- a",
		"infer --size=96x132 a":        "infer --sensor=132x96 -- a",
		"stream --sensor 132x96":       "stream --sensor=132x96",
		"reproduce fig4 --data mnist":  "reproduce fig4 --dataset=mnist",
		"genotype params g --size 9x8": "genotype params --size=9x8 -- g",
		"train --frob x":               "train --frob -- x",
	} {
		app := newApp(nil, nil, nil)
		got := interspersed(app, append([]string{"spikedhs"}, strings.Fields(line)...))
		require.Equal(t, strings.TrimSpace("spikedhs "+want), strings.Join(got, " "), line)
	}
}

func TestNearest(t *testing.T) {
	words := []string{"search", "train", "eval", "data"}
	for word, want := range map[string]string{
		"serch": "search", "trian": "train", "evl": "eval", "date": "data", "search": "search",
		"frobnicate": "", "x": "", "": "", "zzzz": "",
	} {
		require.Equal(t, want, nearest(word, words), word)
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		require.Equal(t, want, thousands(n))
	}
}

func TestConfigPrint(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("my.toml", []byte("[run]\nseed = 2\nname = \"mine\"\n[train]\nlr = 0.2\n"), 0o644))
	r := done(t, "config", "print", "--config", "my.toml", "--set", "train.lr=0.3", "--set", "run.seed=3",
		"--set", "network.levels=[0, 1]", "--seed", "4", "--device", "cpu", "--precision", "float32")
	cfg, err := config.Parse("printed", []byte(r.stdout))
	require.NoError(t, err)
	require.Equal(t, "mine", cfg.Run.Name, "from the file")
	require.Equal(t, 0.3, cfg.Train.LR, "--set stands over the file")
	require.EqualValues(t, 4, cfg.Run.Seed, "the flag stands over --set")
	require.Equal(t, []int{0, 1}, cfg.Network.Levels)
	require.Equal(t, "cpu", cfg.Run.Device)
	require.Equal(t, "float32", cfg.Run.Precision)
}

func TestConfigListAndKeys(t *testing.T) {
	r := done(t, "config", "list")
	for _, name := range configs.Names() {
		require.Contains(t, r.stdout, name)
	}
	require.Contains(t, done(t, "config", "keys").stdout, "train.lr")
}

func TestGenotypeShow(t *testing.T) {
	t.Chdir(t.TempDir())
	require.Contains(t, done(t, "genotype", "show", "spikedhs-cla-n3").stdout, "n0 = b3(s1) + b3(s0)")
	require.Contains(t, done(t, "genotype", "show", "spikedhs-cla-n3", "--dot", "-").stdout, "digraph")
	require.Empty(t, done(t, "genotype", "show", "--svg", "it.svg", "spikedhs-cla-n3").stdout)
	drawing, err := os.ReadFile("it.svg")
	require.NoError(t, err)
	require.Contains(t, string(drawing), "<svg")
	var g genotype.Genotype
	require.NoError(t, json.Unmarshal([]byte(done(t, "genotype", "show", "spikedhs-cla-n3", "--json").stdout), &g))
}

func TestDataInfo(t *testing.T) {
	inWorkFolder(t)
	v := object(t, done(t, "data", "info", "fashion-mnist", "--dir", "images", "--json"))
	require.EqualValues(t, 160, v["train"])
	require.EqualValues(t, 60, v["test"])
	require.Equal(t, []any{1.0, 28.0, 28.0}, v["shape"])
	require.Contains(t, done(t, "data", "info", "fashion-mnist", "--dir", "images").stdout, "160 training and 60 test images")

	t.Setenv("SPIKEDHS_DATA", t.TempDir())
	r := done(t, "data", "info")
	require.Regexp(t, `(?m)^cifar10 +not found: .*spikedhs data fetch cifar10`, r.stdout)
	require.Len(t, object(t, done(t, "data", "info", "--json"))["sets"], len(data.Names()))
}

func TestDataInfoOfRealArchive(t *testing.T) {
	dir := realData(t, "cifar-10-binary.tar.gz")
	v := object(t, done(t, "data", "info", "cifar10", "--dir", dir, "--json"))
	require.EqualValues(t, 50000, v["train"])
	require.EqualValues(t, 10000, v["test"])
	require.Equal(t, []any{3.0, 32.0, 32.0}, v["shape"])
}

func TestDoctor(t *testing.T) {
	r := done(t, "doctor")
	for _, name := range []string{"libtorch", "libspikedhs.so", "libcgotorch.so", "threads", "BLAS", "bfloat16", "matrix products", "CUDA", "memory"} {
		require.Regexp(t, `(?m)^(ok|warn)   *`+name+" ", r.stdout)
	}
	var v struct {
		OK     bool
		Checks []struct{ Name, Status, Value, Advice string }
	}
	require.NoError(t, json.Unmarshal([]byte(done(t, "doctor", "--json").stdout), &v))
	require.True(t, v.OK)
	for _, check := range v.Checks {
		require.NotEmpty(t, check.Value, check.Name)
		require.Equal(t, check.Status != "ok", check.Advice != "", "%s: a warning says what to do", check.Name)
	}
}

func TestVersion(t *testing.T) {
	require.Regexp(t, `^spikedhs \S+\nlibtorch \d+\.\d+\S*\ngo\S+ \S+\n$`, done(t, "version").stdout)
	require.Contains(t, done(t, "--version").stdout, version)
	require.Contains(t, object(t, done(t, "version", "--json")), "libtorch")
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{nil, {"help"}, {"--help"}, {"-h"}} {
		require.Contains(t, done(t, args...).stdout, "COMMANDS")
	}
	require.Contains(t, done(t, "data").stdout, "fetch")
	for _, command := range newApp(nil, nil, nil).Commands {
		require.Contains(t, done(t, command.Name, "--help").stdout, "spikedhs "+command.Name)
	}
}

func TestLogFormatJSON(t *testing.T) {
	inWorkFolder(t)
	r := done(t, "train", "--config", "tiny.toml", "--out", "run", "--log-format", "json", "-v")
	require.NotEmpty(t, r.stderr)
	for line := range strings.Lines(r.stderr) {
		require.True(t, json.Valid([]byte(line)), line)
	}
	require.Contains(t, r.stderr, "train 2/2: 20 batches")
}
