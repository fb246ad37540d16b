package genotype

import (
	"math"
	"math/rand"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// workedExample holds invented probabilities whose decoding is the published
// feature cell.
var workedExample = [][]float64{
	{.30, .36, .34}, {.28, .38, .34},
	{.33, .345, .325}, {.30, .33, .37}, {.35, .33, .32},
	{.34, .33, .33}, {.33, .335, .335}, {.30, .36, .34}, {.31, .35, .34},
}

func TestDecodeWorkedExample(t *testing.T) {
	logits := make([][]float64, len(workedExample))
	for i, row := range workedExample {
		for _, p := range row {
			logits[i] = append(logits[i], math.Log(p)+float64(i)) // a shift per row changes nothing
		}
	}
	c, err := DecodeCell(logits, 3)
	require.NoError(t, err)
	assert.Equal(t, publishedFeatureRows, c.Rows())
}

// oracle decodes by search: of all ordered pairs of edges into a node it takes
// the lexicographically best.
func oracle(alpha [][]float64, nodes int) [][2]int {
	value := func(edge, op int) float64 {
		sum := 0.0
		for _, a := range alpha[edge] {
			sum += math.Exp(a - alpha[edge][op])
		}
		return 1 / sum
	}
	var rows [][2]int
	first := 0
	for node := range nodes {
		last := first + node + 1
		best := [2]int{-1, -1}
		strength := func(e int) float64 { return math.Max(value(e, 1), value(e, 2)) }
		for a := first; a <= last; a++ {
			for b := first; b <= last; b++ {
				if a == b {
					continue
				}
				if best[0] < 0 || strength(a) > strength(best[0]) || a == best[0] && strength(b) > strength(best[1]) {
					best = [2]int{a, b}
				}
			}
		}
		for _, e := range best {
			op := slices.Index(alpha[e], slices.Max(alpha[e]))
			rows = append(rows, [2]int{e, op})
		}
		first = last + 1
	}
	return rows
}

func TestDecodeAgainstOracle(t *testing.T) {
	r := rand.New(rand.NewSource(3))
	for trial := range 400 {
		nodes := 1 + trial%MaxNodes
		alpha := make([][]float64, Edges(nodes))
		for i := range alpha {
			alpha[i] = []float64{r.NormFloat64(), r.NormFloat64(), r.NormFloat64()}
		}
		c, err := DecodeCell(alpha, nodes)
		require.NoError(t, err)
		require.NoError(t, c.Validate())
		require.Equal(t, oracle(alpha, nodes), c.Rows())
	}
}

func TestDecodeTies(t *testing.T) {
	c, err := DecodeCell(repeatRow(Edges(3), []float64{0, 0, 0}), 3)
	require.NoError(t, err)
	assert.Equal(t, [][2]int{{0, 0}, {1, 0}, {2, 0}, {3, 0}, {5, 0}, {6, 0}}, c.Rows())

	// Permuted rows tie exactly although their sums could be rounded differently.
	for range 200 {
		v := rand.Float64() * 3
		alpha := [][]float64{{v, 5, 0}, {0, v, 5}, {5, 0, v}, {v, 5, 0}, {0, 5, v}}
		c, err := DecodeCell(alpha, 2)
		require.NoError(t, err)
		require.Equal(t, [][2]int{{0, 1}, {1, 2}, {3, 1}, {4, 1}}, c.Rows())
	}
}

// TestDecodeIgnoresSkipForRankOnly has a skip edge that is weak although skip
// is almost certain, and one that is kept and decodes to skip.
func TestDecodeIgnoresSkipForRankOnly(t *testing.T) {
	alpha := [][]float64{{0, 1, 0}, {0, 1, 0}, {10, 0, 0}, {0, 1, 0}, {1.5, 1, 0}}
	c, err := DecodeCell(alpha, 2)
	require.NoError(t, err)
	assert.Equal(t, [][2]int{{0, 1}, {1, 1}, {3, 1}, {4, 0}}, c.Rows())
}

func TestDecodeExtremeLogits(t *testing.T) {
	alpha := [][]float64{{math.MaxFloat64, -math.MaxFloat64, 0}, {1e300, 1e308, -1e308}}
	c, err := DecodeCell(alpha, 1)
	require.NoError(t, err)
	assert.Equal(t, [][2]int{{1, 1}, {0, 0}}, c.Rows())
}

func TestDecodeFaults(t *testing.T) {
	good := func() [][]float64 { return repeatRow(2, []float64{.2, .3, .5}) }
	with := func(v float64) [][]float64 { m := good(); m[1][2] = v; return m }
	cases := map[string]struct {
		alpha [][]float64
		nodes int
		want  string
	}{
		"no nodes":     {nil, 0, "0 node(s)"},
		"nine nodes":   {repeatRow(Edges(9), []float64{0, 0, 0}), 9, "9 node(s)"},
		"rows":         {good(), 2, "2 rows; a cell with 2 node(s) needs one per edge, 5"},
		"columns":      {[][]float64{{0, 0, 0}, {0, 0}}, 1, "[1]: 2 values; give one per operation, 3"},
		"NaN":          {with(math.NaN()), 1, "[1][2]: NaN is not finite"},
		"empty matrix": {[][]float64{}, 1, "0 rows"},
		"Inf":          {with(math.Inf(-1)), 1, "[1][2]: -Inf is not finite"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := DecodeCell(c.alpha, c.nodes)
			require.ErrorIs(t, err, ErrAlpha)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func repeatRow(rows int, row []float64) [][]float64 {
	m := make([][]float64, rows)
	for i := range m {
		m[i] = slices.Clone(row)
	}
	return m
}

func TestSkipShare(t *testing.T) {
	assert.Zero(t, SkipShare(Cell{}))
	assert.Zero(t, SkipShare(PublishedFeature()))
	c := PublishedFeature()
	c.Edges[0].Op, c.Edges[5].Op, c.Edges[2].Op = Skip, Skip, Skip
	assert.Equal(t, 0.5, SkipShare(c))
}

func TestEntropy(t *testing.T) {
	nats, share, err := Entropy(repeatRow(4, []float64{7, 7, 7}))
	require.NoError(t, err)
	assert.InDelta(t, 1.0986122886681098, nats, 1e-15, "ln 3")
	assert.InDelta(t, 1, share, 1e-15)

	nats, share, err = Entropy([][]float64{{0, 5000, -5000}})
	require.NoError(t, err)
	assert.Zero(t, nats)
	assert.Zero(t, share)

	// Probabilities 1/2, 1/4, 1/4 have 1.5 bits; the mean with 0 is 0.75.
	nats, share, err = Entropy([][]float64{{math.Ln2, 0, 0}, {0, 5000, -5000}})
	require.NoError(t, err)
	assert.InDelta(t, 0.75*math.Ln2, nats, 1e-15)
	assert.InDelta(t, 0.75*math.Ln2/math.Log(3), share, 1e-15)
}

func TestEntropyFaults(t *testing.T) {
	for _, alpha := range [][][]float64{nil, {{1, 2}}, {{1, 2, math.NaN()}}, {{1, 2, math.Inf(1)}}} {
		_, _, err := Entropy(alpha)
		assert.ErrorIs(t, err, ErrAlpha)
	}
}
