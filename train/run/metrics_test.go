package run

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ticking sets the clock of m to advance by step with each record.
func ticking(m *Metrics, step time.Duration) *Metrics {
	at := m.start
	m.now = func() time.Time { at = at.Add(step); return at }
	m.rss = func() (float64, bool) { return 12.34567, true }
	return m
}

func newMetrics(t *testing.T) (*Metrics, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), MetricsFile)
	m, err := CreateMetrics(path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = m.Close() })
	return ticking(m, 1500*time.Millisecond), path
}

func TestLogWritesFieldsInTheGivenOrder(t *testing.T) {
	m, path := newMetrics(t)
	require.NoError(t, m.Log("epoch",
		F("z", 1), Wall("images_per_s", 35.25), F("a", 0.30000000000000004), F("single", float32(0.1)), F("small", 1e-300),
		F("text", "<é>\n\""), F("none", nil), F("yes", true), F("nan", math.NaN()), F("inf", math.Inf(-1)),
		F("list", []float64{1, math.NaN(), 0.5}), F("pairs", [][]int{{1, 2}, {}}), F("any", []any{"x", nil, 2.5}),
		F("genotype", json.RawMessage(`{"nodes":3}`)), F("map", map[string]int{"b": 1, "a": 2})))
	requireText(t, path, `{"kind":"epoch","z":1,"a":0.30000000000000004,"single":0.1,"small":1e-300,`+
		`"text":"<é>\n\"","none":null,"yes":true,"nan":null,"inf":null,"list":[1,null,0.5],"pairs":[[1,2],[]],`+
		`"any":["x",null,2.5],"genotype":{"nodes":3},"map":{"a":2,"b":1},`+
		`"wall":{"seconds":1.5,"images_per_s":35.25,"rss_mb":12.346}}`+"\n")
	require.NoError(t, m.Log("end"))
	records, err := ReadMetrics(path)
	require.NoError(t, err)
	require.Len(t, records, 2)
	assert.Equal(t, "end", records[1].Kind)
	assert.Empty(t, records[1].Fields)
}

func TestLogRefuses(t *testing.T) {
	m, path := newMetrics(t)
	for _, fields := range [][]Field{
		{F("kind", 1)}, {F("wall", 1)}, {F("x", 1), F("x", 2)}, {Wall("seconds", 1)}, {F("f", func() {})}, {F("l", []any{make(chan int)})},
		{F("m", map[string]float64{"x": math.NaN()})},
	} {
		assert.Error(t, m.Log("epoch", fields...))
	}
	assert.NoError(t, m.Log("epoch", F("x", 1), Wall("x", 2)), "the same key inside and outside of wall")
	records, err := ReadMetrics(path)
	require.NoError(t, err)
	assert.Len(t, records, 1)
}

// wall is the end of a record that depends on clock and machine. A quote inside a string is
// escaped, so only the key itself matches.
var wall = regexp.MustCompile(`,"wall":\{.*`)

func TestRecordsOfOneSeedDifferInWallOnly(t *testing.T) {
	var stripped [2]string
	var whole [2]string
	for i := range stripped {
		m, path := newMetrics(t)
		ticking(m, time.Duration(i+1)*time.Second)
		for epoch := range 3 {
			require.NoError(t, m.Log("epoch", F("epoch", epoch), F("note", `,"wall":{`), Wall("rate", float64(i)/3)))
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		whole[i], stripped[i] = string(text), string(wall.ReplaceAll(text, []byte("}")))
	}
	assert.NotEqual(t, whole[0], whole[1])
	assert.Equal(t, stripped[0], stripped[1])
	assert.True(t, strings.HasPrefix(stripped[0], `{"kind":"epoch","epoch":0,"note":",\"wall\":{"}`+"\n"), stripped[0])
	for _, line := range strings.Split(strings.TrimSpace(stripped[0]), "\n") {
		assert.True(t, json.Valid([]byte(line)))
	}
}

func TestValues(t *testing.T) {
	m, path := newMetrics(t)
	require.NoError(t, m.Log("x", F("float", 1.5), F("int", int64(math.MaxInt64)), F("nan", math.NaN()), F("text", "a"), F("list", []int{1, 2})))
	records, err := ReadMetrics(path)
	require.NoError(t, err)
	v := records[0].Fields

	x, ok := v.Float("float")
	assert.True(t, ok)
	assert.Equal(t, 1.5, x)
	x, ok = v.Float("nan")
	assert.True(t, ok)
	assert.True(t, math.IsNaN(x))
	n, ok := v.Int("int")
	assert.True(t, ok)
	assert.EqualValues(t, math.MaxInt64, n)
	s, ok := v.Text("text")
	assert.True(t, ok)
	assert.Equal(t, "a", s)
	var list []int
	require.NoError(t, v.Decode("list", &list))
	assert.Equal(t, []int{1, 2}, list)
	seconds, ok := records[0].Wall.Float("seconds")
	assert.True(t, ok)
	assert.Equal(t, 1.5, seconds)

	for _, key := range []string{"missing", "list", "nan", "float"} {
		_, ok := v.Int(key)
		assert.False(t, ok, key)
		_, ok = v.Text(key)
		assert.False(t, ok, key)
	}
	_, ok = v.Float("missing")
	assert.False(t, ok)
	_, ok = v.Float("text")
	assert.False(t, ok)
}

func TestCreateMetricsKeepsWhatIsThere(t *testing.T) {
	_, path := newMetrics(t)
	_, err := CreateMetrics(path)
	assert.ErrorIs(t, err, os.ErrExist)
}

func TestOpenMetricsAfterCutsOffWhatTheCheckpointDoesNotKnow(t *testing.T) {
	m, path := newMetrics(t)
	require.NoError(t, m.Log("step", F("step", 1)))
	require.NoError(t, m.Log("step", F("step", 2)))
	kept := m.Records()
	require.NoError(t, m.Log("step", F("step", 3)))
	require.NoError(t, m.Sync())
	require.NoError(t, m.Close())
	before, err := os.ReadFile(path)
	require.NoError(t, err)

	_, err = OpenMetricsAfter(path, 4)
	assert.ErrorContains(t, err, "not of the same run")
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(before), string(after), "a refused number changes nothing")

	resumed, err := OpenMetricsAfter(path, kept)
	require.NoError(t, err)
	assert.Equal(t, 2, resumed.Records())
	require.NoError(t, ticking(resumed, 10*time.Second).Log("step", F("step", 30)))
	require.NoError(t, resumed.Close())
	records, err := ReadMetrics(path)
	require.NoError(t, err)
	require.Len(t, records, 3)
	step, _ := records[2].Fields.Int("step")
	assert.EqualValues(t, 30, step)
}

func TestTimeGoesOnAcrossParts(t *testing.T) {
	m, path := newMetrics(t)
	require.NoError(t, m.Log("step"))
	require.NoError(t, m.Close())
	resumed, err := OpenMetricsAfter(path, 1)
	require.NoError(t, err)
	elapsed := resumed.now().Sub(resumed.start)
	assert.GreaterOrEqual(t, elapsed, 1500*time.Millisecond)
	assert.Less(t, elapsed, 60*time.Second)
	require.NoError(t, resumed.Close())
}

func TestOpenMetricsAfterNothing(t *testing.T) {
	m, err := OpenMetricsAfter(filepath.Join(t.TempDir(), MetricsFile), 0)
	require.NoError(t, err, "a run that crashed before its first record")
	require.NoError(t, m.Close())
}

func TestTornLastLine(t *testing.T) {
	m, path := newMetrics(t)
	require.NoError(t, m.Log("step", F("step", 1)))
	require.NoError(t, m.Close())
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = file.WriteString(`{"kind":"step","st`)
	require.NoError(t, err)
	require.NoError(t, file.Close())

	records, err := ReadMetrics(path)
	require.NoError(t, err)
	assert.Len(t, records, 1)

	m, err = OpenMetricsAfter(path, 1)
	require.NoError(t, err)
	require.NoError(t, m.Log("step", F("step", 2)))
	require.NoError(t, m.Close())
	records, err = ReadMetrics(path)
	require.NoError(t, err)
	require.Len(t, records, 2)
}

func TestReadMetricsNamesTheBrokenLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), MetricsFile)
	good := `{"kind":"a","wall":{}}` + "\n"
	for _, bad := range []string{"nonsense", `{"kind":"a"}`, `{"wall":{}}`, `[]`, `{"kind":1,"wall":{}}`} {
		require.NoError(t, os.WriteFile(path, []byte(good+bad+"\n"+good), 0o600))
		_, err := ReadMetrics(path)
		assert.ErrorContains(t, err, path+":2: not a record", bad)
	}
	_, err := ReadMetrics(path + ".none")
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestLogAfterCloseFailsAndCountsNothing(t *testing.T) {
	m, _ := newMetrics(t)
	require.NoError(t, m.Log("a"))
	require.NoError(t, m.Close())
	err := m.Log("b")
	assert.ErrorIs(t, err, os.ErrClosed)
	assert.NotContains(t, err.Error(), "\n")
	assert.Equal(t, 1, m.Records())
}

func TestResidentMegabytes(t *testing.T) {
	megabytes, ok := residentMegabytes()
	if !ok {
		t.Skip("the memory in use is not known on this system")
	}
	assert.Greater(t, megabytes, 1.0)
	assert.Less(t, megabytes, 100000.0)
}
