package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/urfave/cli/v2"
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
