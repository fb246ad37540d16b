package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

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
