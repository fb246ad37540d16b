package genotype

import (
	"encoding/json"
	"math/rand"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEncodeParseRoundTrip(t *testing.T) {
	r := rand.New(rand.NewSource(2))
	for nodes := 1; nodes <= MaxNodes; nodes++ {
		reduction := randomCell(r, nodes)
		g, err := New(`<a & "b" \ é 🎉>`, randomCell(r, nodes), &reduction)
		require.NoError(t, err)
		g.Origin, g.Subnets[0].Levels = "a test", []int{1, 2, 1, 0}
		data, err := g.Encode()
		require.NoError(t, err)
		again, err := Parse(data)
		require.NoError(t, err)
		assert.Equal(t, g, again)
	}
}

// TestEncodeMeansWhatItSays reads the JSON with no knowledge of this package.
func TestEncodeMeansWhatItSays(t *testing.T) {
	type document struct {
		Format, Name, Origin string
		Version              int
		Ops                  []string
		Subnets              []struct {
			Name         string
			Path, Levels []int
			Cell         struct {
				Nodes int
				Edges []struct {
					Node, Edge int
					From, Op   string
				}
			}
		}
	}
	read := func(g Genotype) (d document) {
		data, err := g.Encode()
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(data, &d))
		assert.Equal(t, "spikedhs-genotype", d.Format)
		assert.Equal(t, 3, d.Version)
		return d
	}
	one := read(mustPreset(t))
	require.Len(t, one.Subnets, 1)
	normal := one.Subnets[0]
	assert.Equal(t, "normal", normal.Name)
	assert.Equal(t, []int{0, 0, 1, 1, 1, 2, 2, 2}, normal.Levels, "a record")
	assert.Empty(t, normal.Path)
	var lines []string
	for _, e := range normal.Cell.Edges {
		lines = append(lines, strings.Join([]string{string(rune('0' + e.Node)), string(rune('0' + e.Edge)), e.From, e.Op}, " "))
	}
	assert.Equal(t, []string{"0 1 s1 snn_b3", "0 0 s0 snn_b3", "1 3 s1 snn_b5", "1 2 s0 snn_b3", "2 7 n0 snn_b3", "2 8 n1 snn_b3"}, lines)
	assert.Equal(t, []int{1, 2, 1, 0, 1}, read(onPath(t)).Subnets[0].Path, "to follow")
	two := read(stereoPreset(t))
	require.Len(t, two.Subnets, 2)
	assert.Equal(t, []int{1, 2, 2, 1}, two.Subnets[1].Path)
}

// TestOldVersions reads what earlier programs wrote: the same value, the same hash.
func TestOldVersions(t *testing.T) {
	hashes := map[string]string{
		"preset-n3": "f74981d4a01c", "two-cells": "b2b846ce0e53", "on-path": "b7cf8e2496b3", "stereo": "903d78c4d367", "four-nodes": "8e4471aa38b8",
	}
	for name, g := range all(t) {
		read, err := Parse([]byte(old(t, name)))
		require.NoError(t, err, name)
		assert.Equal(t, g, read, name)
		assert.Equal(t, hashes[name], read.Hash(), name)
	}
}

func TestGenotypeInsideLargerDocument(t *testing.T) {
	type model struct {
		Classes  int
		Genotype Genotype
	}
	data, err := json.Marshal(model{10, twoCells(t)})
	require.NoError(t, err)
	var m model
	require.NoError(t, json.Unmarshal(data, &m))
	assert.Equal(t, model{10, twoCells(t)}, m)

	_, err = json.Marshal(model{})
	assert.ErrorContains(t, err, "name: empty")
	assert.ErrorIs(t, json.Unmarshal([]byte(`{"Genotype": {}}`), &m), ErrInvalid)
}

// TestParseFaults changes one text in a valid document at a time.
func TestParseFaults(t *testing.T) {
	const first = `{"node": 0, "edge": 1, "from": "s1", "op": "snn_b3"}`
	const third = `{"node": 1, "edge": 3, "from": "s1", "op": "snn_b5"}`
	cases := map[string]struct{ old, replacement, want string }{
		"not JSON":         {`"version"`, `version`, "document: not JSON at byte"},
		"trailing":         {"\n}\n", "\n}\n{}", "document: not JSON at byte"},
		"not UTF-8":        {"two cells", "\xff", "document: not valid UTF-8"},
		"format":           {`"spikedhs-genotype"`, `"other"`, `format: "other" is not a genotype`},
		"format type":      {`"spikedhs-genotype"`, `7`, "format: found a number; write a string"},
		"no format":        {`"format": "spikedhs-genotype",`, ``, "format: missing; add it"},
		"newer":            {`"version": 1`, `"version": 4, "extra": 3`, "version: 4 was written by a newer version"},
		"version zero":     {`"version": 1`, `"version": 0`, "version: 0 does not exist"},
		"version fraction": {`"version": 1`, `"version": 1.5`, `version: "1.5" is not a whole number`},
		"version text":     {`"version": 1`, `"version": "1"`, "version: found a string; write a number"},
		"unknown field":    {`"name"`, `"extra": 1, "name"`, "extra: unknown field; remove it"},
		"odd field":        {`"name"`, `"a\nb": 1, "name"`, `"a\nb": unknown field`},
		"case of field":    {`"name"`, `"Name"`, "Name: unknown field"},
		"field twice":      {`"name"`, `"name": "x", "name"`, "name: given twice"},
		"null":             {`"two cells"`, `null`, "name: found null; write a string"},
		"downsample":       {`"downsample": "reduction"`, `"downsample": "pool"`, `downsample: "pool" is unknown`},
		"unused reduction": {`"downsample": "reduction"`, `"downsample": "nearest"`, "reduction: not used"},
		"ops type":         {`["skip_connect", `, `[3, `, "ops[0]: found a number; write a string"},
		"unknown cell key": {`"nodes": 3`, `"extra": 1, "nodes": 3`, "normal.extra: unknown field"},
		"nodes zero":       {`"nodes": 3`, `"nodes": 0`, "normal.nodes: 0 node(s); a cell has 1..8"},
		"nodes nine":       {`"nodes": 3`, `"nodes": 9`, "normal.nodes: 9 node(s); a cell has 1..8"},
		"nodes missing":    {`"nodes": 3,`, ``, "normal.nodes: missing"},
		"edges type":       {`"edges": [`, `"edges": 1, "x": [`, "normal.x: unknown field"},
		"cell type":        {`"normal": {`, `"normal": [], "x": {`, "x: unknown field"},
		"edge type":        {first, `1`, "normal.edges[0]: found a number; write an object"},
		"unknown edge key": {first, `{"weight": 1}`, "normal.edges[0].weight: unknown field"},
		"edge missing":     {first, `{"node": 0, "from": "s1", "op": "snn_b3"}`, "normal.edges[0].edge: missing"},
		"op missing":       {first, `{"node": 0, "edge": 1, "from": "s1"}`, "normal.edges[0].op: missing"},
		"op unknown":       {`"op": "snn_b5"`, `"op": "snn_b7"`, `normal.edges[2].op: unknown operation "snn_b7"`},
		"edge range":       {`"edge": 3`, `"edge": 9`, "normal.edges[2].edge: 9 is out of range; a cell with 3 node(s) has edges 0..8"},
		"edge negative":    {`"edge": 3`, `"edge": -3`, "normal.edges[2].edge: -3 is out of range"},
		"edge large":       {`"edge": 3`, `"edge": 99999999999999999999`, "is not a whole number"},
		"node differs":     {third, `{"node": 2, "edge": 3, "from": "s1", "op": "snn_b5"}`, "normal.edges[2].node: 2, but edge 3 leads to node 1"},
		"from differs":     {third, `{"node": 1, "edge": 3, "from": "s0", "op": "snn_b5"}`, `normal.edges[2].from: "s0", but edge 3 comes from "s1"`},
		"node missing":     {third, `{"edge": 3, "from": "s1", "op": "snn_b5"}`, "normal.edges[2].node: missing"},
		"from missing":     {third, `{"node": 1, "edge": 3, "op": "snn_b5"}`, "normal.edges[2].from: missing"},
		"duplicate":        {third, `{"node": 1, "edge": 2, "from": "s0", "op": "snn_b5"}`, "normal.edges[3].edge: edge 2 is listed twice"},
		"wrong node":       {third, first, "normal.edges: node 0 has 3 edge(s); keep exactly 2"},
		"too few":          {third + ",", "", "normal.edges: node 1 has 1 edge(s); keep exactly 2"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { refuses(t, old(t, "two-cells"), c.old, c.replacement, c.want) })
	}
}

// refuses changes a text of a valid document and wants the fault told in one line.
func refuses(t *testing.T, valid, old, replacement, want string) {
	t.Helper()
	require.Contains(t, valid, old, "the case must change something")
	_, err := Parse([]byte(strings.Replace(valid, old, replacement, 1)))
	require.ErrorIs(t, err, ErrInvalid)
	assert.ErrorContains(t, err, want)
	assert.NotContains(t, err.Error(), "\n", "one line")
}

// TestParseFaultsOfSubnets changes what only version 3 has.
func TestParseFaultsOfSubnets(t *testing.T) {
	valid := func(g Genotype) string {
		data, err := g.Encode()
		require.NoError(t, err)
		return string(data)
	}
	for want, c := range map[string]struct {
		of               Genotype
		old, replacement string
	}{
		"version: 4 was written by a newer version":            {twoCells(t), `"version": 3`, `"version": 4`},
		"subnets[0].colour: unknown field":                     {twoCells(t), `"name": "normal"`, `"name": "normal", "colour": 1`},
		"subnets[1].cell: missing":                             {twoCells(t), `"name": "reduction",`, `"name": "reduction"}, {"name": "x",`},
		"subnets[1].name: normal is there twice":               {twoCells(t), `"reduction"`, `"normal"`},
		`subnets[0].name: "Normal"; use a word`:                {twoCells(t), `"normal"`, `"Normal"`},
		"subnets: other beside a chain of cells":               {twoCells(t), `"reduction"`, `"other"`},
		"other.path: empty; list the level":                    {mustPreset(t), `"normal"`, `"other"`},
		"subnets: a reduction cell without a normal one":       {mustPreset(t), `"normal"`, `"reduction"`},
		"reduction: cells on a path resize":                    {twoCells(t), `"name": "normal",`, `"name": "normal", "path": [0, 1],`},
		"reduction.path: reduction cells stand":                {twoCells(t), `"name": "reduction",`, `"name": "reduction", "levels": [0, 1],`},
		"normal.levels: a record of levels beside a path":      {mustPreset(t), `"levels"`, `"path": [1], "levels"`},
		"subnets[0].cell.edges[0].op: found a number":          {mustPreset(t), `"op": "snn_b3"`, `"op": 3`},
		"normal.edges[0].op: unknown operation":                {mustPreset(t), `"op": "snn_b3"`, `"op": "pool"`},
		"feature.edges[0].node: 1, but edge 1 leads to node 0": {stereoPreset(t), `{"node": 0`, `{"node": 1`},
		"matching.path[1]: level jumps from 1 to 3":            {stereoPreset(t), "[1, 2, 2, 1]", "[1, 3, 2, 1]"},
		"feature.path[0]: level 4 is out of range":             {stereoPreset(t), "[1, 0]", "[4, 0]"},
		"feature.path: empty":                                  {stereoPreset(t), "[1, 0]", "[]"},
		"subnets[0].path[1]: found a string; write a number":   {stereoPreset(t), "[1, 0]", `[1, "2"]`},
		`subnets[0].path[1]: "0.5" is not a whole number`:      {stereoPreset(t), "[1, 0]", "[1, 0.5]"},
		"subnets[0].path: found null; write an array":          {stereoPreset(t), "[1, 0]", "null"},
	} {
		refuses(t, valid(c.of), c.old, c.replacement, want)
	}
}

// TestParseFaultsOfOldStereo changes a document of stereo's own format.
func TestParseFaultsOfOldStereo(t *testing.T) {
	for want, change := range map[string][2]string{
		"version: 2 was written by a newer version":             {`"version": 1`, `"version": 2`},
		"version: 0 does not exist":                             {`"version": 1`, `"version": 0`},
		"matching.path[1]: level jumps from 1 to 3":             {"[1, 2, 2, 1]", "[1, 3, 2, 1]"},
		"feature.path: empty":                                   {"[1, 0]", "[]"},
		"unknown field":                                         {`"ops"`, `"x": 1, "ops"`},
		"feature.depth: unknown field":                          {"\"feature\": {", "\"feature\": {\"depth\": 1,"},
		"name: missing":                                         {`"name": "spikedhs-stereo",`, ""},
		"origin2: unknown field":                                {`"matching"`, `"origin2"`},
		"feature.edges[0].op: unknown operation":                {`"op": "snn_b3"`, `"op": "pool"`},
		"feature.cell.nodes: found a string; write a number":    {`"nodes": 3`, `"nodes": "3"`},
		"feature.edges[0].node: 1, but edge 1 leads to node 0;": {`{"node": 0, "edge": 1, "from": "s1"`, `{"node": 1, "edge": 1, "from": "s1"`},
	} {
		refuses(t, old(t, "stereo"), change[0], change[1], want)
	}
}

func TestParseReductionMissing(t *testing.T) {
	_, err := Parse([]byte(strings.Replace(old(t, "preset-n3"), `"nearest"`, `"reduction"`, 1)))
	assert.EqualError(t, err, `invalid genotype: reduction: missing although downsample is "reduction"; `+
		`add the cell or set downsample to "nearest"`)
}

func TestParseOddDocuments(t *testing.T) {
	for _, text := range []string{"", " ", "null", "[]", "1", `"x"`, "{}", "{", strings.Repeat("[", 20000)} {
		_, err := Parse([]byte(text))
		assert.ErrorIs(t, err, ErrInvalid, "%.20q", text)
	}
}
