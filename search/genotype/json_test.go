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
		g.Origin, g.Path = "a test", []int{1, 2, 1, 0}
		data, err := g.Encode()
		require.NoError(t, err)
		again, err := Parse(data)
		require.NoError(t, err)
		assert.Equal(t, g, again)
	}
}

// TestEncodeMeansWhatItSays reads the JSON with no knowledge of this package.
func TestEncodeMeansWhatItSays(t *testing.T) {
	data, err := mustPreset(t).Encode()
	require.NoError(t, err)
	var document struct {
		Format, Name, Origin, Downsample string
		Version                          int
		Ops                              []string
		Path                             []int
		Normal                           struct {
			Nodes int
			Edges []struct {
				Node, Edge int
				From, Op   string
			}
		}
		Reduction *struct{}
	}
	require.NoError(t, json.Unmarshal(data, &document))
	assert.Equal(t, "spikedhs-genotype", document.Format)
	assert.Equal(t, 1, document.Version)
	assert.Equal(t, "nearest", document.Downsample)
	assert.Equal(t, []int{0, 0, 1, 1, 1, 2, 2, 2}, document.Path)
	assert.Nil(t, document.Reduction)
	var lines []string
	for _, e := range document.Normal.Edges {
		lines = append(lines, strings.Join([]string{string(rune('0' + e.Node)), string(rune('0' + e.Edge)), e.From, e.Op}, " "))
	}
	assert.Equal(t, []string{"0 1 s1 snn_b3", "0 0 s0 snn_b3", "1 3 s1 snn_b5", "1 2 s0 snn_b3", "2 7 n0 snn_b3", "2 8 n1 snn_b3"}, lines)
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
	assert.ErrorContains(t, err, "version: 0 does not exist")
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
		"newer":            {`"version": 1`, `"version": 3, "extra": 3`, "version: 3 was written by a newer version"},
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
	valid, err := twoCells(t).Encode()
	require.NoError(t, err)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, string(valid), c.old, "the case must change something")
			_, err := Parse([]byte(strings.Replace(string(valid), c.old, c.replacement, 1)))
			require.ErrorIs(t, err, ErrInvalid)
			assert.ErrorContains(t, err, c.want)
			assert.NotContains(t, err.Error(), "\n", "one line")
		})
	}
}

func TestParseReductionMissing(t *testing.T) {
	data, err := mustPreset(t).Encode()
	require.NoError(t, err)
	_, err = Parse([]byte(strings.Replace(string(data), `"nearest"`, `"reduction"`, 1)))
	assert.EqualError(t, err, `invalid genotype: reduction: missing although downsample is "reduction"; `+
		`add the cell or set downsample to "nearest"`)
}

func TestParseOddDocuments(t *testing.T) {
	for _, text := range []string{"", " ", "null", "[]", "1", `"x"`, "{}", "{", strings.Repeat("[", 20000)} {
		_, err := Parse([]byte(text))
		assert.ErrorIs(t, err, ErrInvalid, "%.20q", text)
	}
}
