package report

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train/run"
)

// write returns the report of folders after checking that every tag is closed: the
// page is written such that it is XML too.
func write(t testing.TB, folders ...string) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, Write(&b, folders...))
	requireXML(t, b.String())
	return b.String()
}

func folder(t testing.TB, name string) string { return filepath.Join(t.TempDir(), name) }

func TestDemo(t *testing.T) {
	dir := folder(t, "demo")
	f := demoRun(t, dir)
	text := write(t, dir)
	counts := requireXML(t, text)
	assert.Equal(t, 1, counts["h1"])
	assert.Equal(t, 12, counts["svg"], "4 curves, 1 matrix, 1 genotype, 6 curves of the search")
	for _, want := range []string{
		"<title>demo – SpikeDHS</title>", "fashion-mnist", "<strong>93.95\u202f%</strong>", "test top-1 accuracy",
		"99.71\u202f%", "0.2893", "10\u202f000", "1.23\u202fM", "1\u202fmin 49\u202fs", "931.3\u202fMiB", "337.6\u202fKiB",
		"n0 = b3(s0) &#43; skip(s1)", "Ankle boot", "The search of this run", "<mark>b5(s0)</mark>", "changed 1 time in 3 epochs",
		"<code>train.width</code></td><td><code>8</code></td><td><code>48</code>", "4 of the values are not the defaults",
		"<code>v1.2.3</code>", "<code>2026-03-01 09:30:00 UTC</code>", "&#39;run.name=two words&#39;",
	} {
		assert.Contains(t, text, want)
	}
	assert.Contains(t, text, mustLoad(t, f).Hash())
	assert.NotContains(t, text, "NaN")
	assert.NotContains(t, text, "ZgotmplZ", "html/template found something unsafe")
	assert.NotContains(t, text, `<span class="state unfinished">`)
}

func mustLoad(t testing.TB, f *run.Folder) genotype.Genotype {
	t.Helper()
	g, err := genotype.Load(f.Path(run.GenotypeFile))
	require.NoError(t, err)
	return g
}

// TestSelfContained looks for whatever a browser would fetch or run.
func TestSelfContained(t *testing.T) {
	dir := folder(t, "demo")
	demoRun(t, dir)
	text := strings.ReplaceAll(write(t, dir), `xmlns="http://www.w3.org/2000/svg"`, "")
	for _, pattern := range []string{`<script`, `<link`, `<img`, `<iframe`, `\ssrc=`, `https?://`, `url\(`, `@import`, `\son\w+=`} {
		assert.NotRegexp(t, pattern, text)
	}
	links := regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(text, -1)
	for _, link := range links {
		assert.True(t, strings.HasPrefix(link[1], "#"), link[1])
	}
}

func TestDeterministic(t *testing.T) {
	dir := folder(t, "demo")
	demoRun(t, dir)
	assert.Equal(t, write(t, dir), write(t, dir))
}

func TestManyEpochs(t *testing.T) {
	dir := folder(t, "long")
	longRun(t, dir)
	text := write(t, dir)
	assert.Contains(t, text, "test top-1, epoch 100: 91.19\u202f%")
	assert.Contains(t, text, "best top-1, epoch 96")
	assert.Contains(t, text, "1\u202fh 30\u202fmin")
}

func TestLongSearchIsFolded(t *testing.T) {
	dir := folder(t, "search")
	f := newRun(t, dir, "search.epochs=400", "search.warmup_epochs=1")
	addSearch(t, f, 400)
	text := write(t, dir)
	assert.Regexp(t, `<details><summary>\d+ stages</summary>`, text)
}

func TestSearchAlone(t *testing.T) {
	dir := folder(t, "search50")
	f := newRun(t, dir)
	addSearch(t, f, 50)
	end(t, f)
	text := write(t, dir)
	assert.Contains(t, text, "search of 50 epochs")
	assert.Contains(t, text, "top-1 accuracy of the supernet on set B after epoch 50")
	assert.Contains(t, text, "all values are the defaults")
	assert.NotContains(t, text, "<h3>Training</h3>")
}

func TestUnfinished(t *testing.T) {
	shows := func(t *testing.T, f *run.Folder, lacks string, parts ...string) {
		text := write(t, f.Dir())
		for _, part := range parts {
			assert.Contains(t, text, part)
		}
		assert.NotContains(t, text, lacks)
	}
	t.Run("nothing yet", func(t *testing.T) {
		shows(t, newRun(t, folder(t, "fresh")), "<svg", "This run is unfinished: none of 50 epochs is complete yet.", "no result yet")
	})
	t.Run("some epochs and a torn line", func(t *testing.T) {
		f := newRun(t, folder(t, "going"), "train.genotype=spikedhs-cla-n3")
		addTraining(t, f, 7)
		file, err := os.OpenFile(f.Path(run.MetricsFile), os.O_APPEND|os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = file.WriteString(`{"kind":"train_epoch","ep`)
		require.NoError(t, err)
		require.NoError(t, file.Close())
		shows(t, f, "Left out", "This run is unfinished: the report shows 7 of 100 epochs.", "test top-1 accuracy after epoch 7")
	})
	t.Run("ended early", func(t *testing.T) {
		f := newRun(t, folder(t, "early"))
		addSearch(t, f, 20)
		end(t, f)
		shows(t, f, "This run is unfinished", "This run ended early, after 20 of 50 epochs.")
	})
}

func TestSeveralRuns(t *testing.T) {
	base := t.TempDir()
	demo, long, fresh := filepath.Join(base, "a"), filepath.Join(base, "b"), filepath.Join(base, "c")
	demoRun(t, demo)
	longRun(t, long, "run.name=longer")
	newRun(t, fresh)
	text := write(t, demo, long, fresh)
	counts := requireXML(t, text)
	assert.Equal(t, 1, counts["h1"])
	for _, want := range []string{
		"<h1>3 runs</h1>", `<a href="#run-1">demo</a>`, `<a href="#run-1-search">search of demo</a>`, `id="run-1-search"`,
		`<a href="#run-2">longer</a>`, `<a href="#run-3">c</a> <span class="state unfinished">`, "Test top-1 accuracy in %",
		"<strong>93.95\u202f%</strong></td>", "0 of 50",
	} {
		assert.Contains(t, text, want)
	}
	assert.Equal(t, 1, strings.Count(text, "%</strong></td>"), "one run is the best")
}

func TestEscaping(t *testing.T) {
	dir := folder(t, "x")
	evil := `<script>alert("1")</script>&`
	f := newRun(t, dir, `run.name='`+evil+`'`)
	g := addGenotype(t, f, 1)
	g.Name, g.Origin = evil, evil
	require.NoError(t, g.Save(f.Path(run.GenotypeFile)))
	e := `{"top1":50,"confusion":[[1,1],[1,1]],"classes":["</svg><script>","b\u0001"]}`
	require.NoError(t, os.WriteFile(f.Path(evaluationFile), []byte(e), 0o600))
	metrics := `{"kind":"search_epoch","epoch":1,"normal":["<script> = </td>"],"genotype":"<b>","wall":{}}` + "\n"
	require.NoError(t, os.WriteFile(f.Path(run.MetricsFile), []byte(metrics), 0o600))
	text := write(t, dir, dir)
	assert.NotContains(t, text, "<script")
	assert.NotContains(t, text, "<b>")
	assert.Contains(t, text, "&lt;script&gt;")
}

// TestDamaged checks that whatever cannot be read is left out with a note.
func TestDamaged(t *testing.T) {
	for name, content := range map[string]string{
		run.MetricsFile:  "not json\n",
		run.GenotypeFile: "{}",
		evaluationFile:   `{"confusion":[[1,2]]}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, "damaged")
			f := newRun(t, dir)
			require.NoError(t, os.WriteFile(f.Path(name), []byte(content), 0o600))
			text := write(t, dir)
			assert.Regexp(t, `Left out: .*`+regexp.QuoteMeta(name), text)
		})
	}
	t.Run("inner search", func(t *testing.T) {
		dir := folder(t, "damaged")
		f := newRun(t, dir)
		newRun(t, f.Path(searchDir))
		require.NoError(t, os.WriteFile(f.Path(searchDir, run.ConfigFile), []byte("x = 1\n"), 0o600))
		assert.Regexp(t, `Left out: .*unknown`, write(t, dir))
	})
}

func TestUnknownAndOddRecords(t *testing.T) {
	dir := folder(t, "odd")
	f := newRun(t, dir)
	metrics := `{"kind":"news","epoch":"x","wall":{}}
{"kind":"train_epoch","wall":{"seconds":"soon"}}
{"kind":"train_epoch","epoch":1,"loss":null,"top1":1e308,"test_top1":"high","wall":{"rss_mb":null}}
{"kind":"train_epoch","epoch":2,"loss":0.5,"lr":0,"wall":{}}
{"kind":"train_step","step":10,"loss":0.7,"wall":{}}
{"kind":"train_step","step":20,"loss":0.6,"wall":{}}
`
	require.NoError(t, os.WriteFile(f.Path(run.MetricsFile), []byte(metrics), 0o600))
	text := write(t, dir)
	assert.Contains(t, text, "Training loss of the steps in nats")
	assert.NotContains(t, text, "NaN")
}

func TestErrors(t *testing.T) {
	var b bytes.Buffer
	dir := folder(t, "demo")
	newRun(t, dir)
	err := Write(&b, dir, filepath.Join(dir, "absent"))
	require.ErrorIs(t, err, run.ErrNotRun)
	assert.NotContains(t, err.Error(), "\n")
	assert.Zero(t, b.Len(), "nothing is written before everything is read")
	require.Error(t, Write(&b))
	full := errors.New("disk full")
	require.ErrorIs(t, Write(failing{full}, dir), full)
}

// failing is a writer that cannot write.
type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestWriteFile(t *testing.T) {
	dir := folder(t, "demo")
	f := newRun(t, dir)
	path := f.Path(run.ReportFile)
	require.NoError(t, WriteFile(path, dir))
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, write(t, dir), string(before))
	require.ErrorIs(t, WriteFile(path, filepath.Join(dir, "absent")), run.ErrNotRun)
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, before, after, "the old report stays")
}

var update = flag.Bool("update", false, "write the golden files in testdata")

// foreign is what other packages decide: the configuration and the drawing of the
// genotype. The folder of a test has another name each time.
var foreign = regexp.MustCompile(`(?s)<details class="settings">.*?</details>|<div class="genotype">.*?</div>|<style>.*?</style>`)

// TestGolden compares a whole page with a stored one. Look at the page in a browser
// before committing it after -update.
func TestGolden(t *testing.T) {
	dir := folder(t, "demo")
	addEvaluation(t, demoRun(t, dir), 3)
	got := foreign.ReplaceAllString(write(t, dir), "")
	got = strings.ReplaceAll(got, dir, "runs/demo")
	path := filepath.Join("testdata", "demo.html")
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run go test -update")
	assert.Equal(t, string(want), got)
}
