package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/train/run"
)

func TestDemo(t *testing.T) {
	inWorkFolder(t)
	args := []string{"demo", "--config", "tiny.toml", "--set", "train.epochs=1", "--set", "search.epochs=1", "--set", "search.warmup_epochs=0"}
	r := done(t, append(args, "--out", "run")...)
	for _, text := range []string{
		"1/4", "2/4", "3/4", "4/4", "Done in", "60 test images", "n1 = ",
		"spikedhs infer --model run/model.pt --dataset fashion-mnist",
	} {
		require.Contains(t, r.stdout, text)
	}
	for _, name := range []string{
		"config.toml", "run.json", "metrics.jsonl", "genotype.json", "genotype.svg", "model.pt", "report.html",
		"checkpoints/last.safetensors", "search/genotype.json", "search/metrics.jsonl",
	} {
		require.FileExists(t, filepath.Join("run", name))
	}
	done(t, "export", "--run", "run", "--check")
	require.Contains(t, done(t, "report", "run", "--out", "two.html").stdout, "two.html")

	for _, place := range []string{"again/search/metrics.jsonl", "again/metrics.jsonl"} {
		stopped(t, place, append(args, "--out", "again")...)
		args = []string{"demo", "--resume"}
	}
	v := object(t, done(t, "demo", "--out", "again", "--resume", "--json"))
	require.Contains(t, v, "evaluation")
	sameRun(t, "run", "again")
	sameRun(t, "run/search", "again/search")
}

// stopped interrupts a command line as soon as there is a file.
func stopped(t *testing.T, path string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		for !exists(path) && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	var stderr bytes.Buffer
	require.Equal(t, exitInterrupted, execute(ctx, append([]string{"spikedhs"}, args...), io.Discard, &stderr), stderr.String())
	require.Contains(t, stderr.String(), "spikedhs: demo in again: interrupted; a checkpoint was saved, continue with --resume")
}

func TestDemoThatCannotBeginLeavesNothing(t *testing.T) {
	inWorkFolder(t)
	refused(t, []string{"demo", "--config", "tiny.toml", "--set", "data.test_images=50", "--set", "data.train_images=4000", "--out", "run", "--json"},
		"data.train_images", "4000")
}

func TestDataFetch(t *testing.T) {
	t.Chdir(t.TempDir())
	url, _ := mirror(t, map[string][]byte{"/mirror/train-images-idx3-ubyte.gz": make([]byte, 4000)})
	r := spikedhs(t, "data", "fetch", "mnist", "--dir", ".", "--base-url", url+"/mirror")
	require.Equal(t, exitFailed, r.code)
	require.Contains(t, r.stderr, "checksum mismatch")
	r = spikedhs(t, "data", "fetch", "mnist", "--dir", ".", "--base-url", url)
	require.Equal(t, exitFailed, r.code)
	require.Contains(t, r.stderr, "404")
}

func TestFetchingShowsEachFile(t *testing.T) {
	var b bytes.Buffer
	f := fetching{progress: run.NewProgress(&b)}
	for _, done := range []int64{1000, 2500, 4000} {
		f.show("a.gz", done, 4000)
	}
	f.show("b.gz", 500, -1) // the server does not tell the size
	f.show("b.gz", 3000, -1)
	f.progress.End("")
	require.Regexp(t, `^a.gz: 4 kB in .*\nb.gz: 3 kB in .*\n$`, b.String())
}

// debian is the folder of Debian's package of Fashion-MNIST.
const debian = "/usr/share/datasets/fashion-mnist"

// published are the files of Fashion-MNIST as they are published. Debian's have lost
// the name and the time that gzip had put into their headers.
func published(t *testing.T) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for name, modified := range map[string]uint32{
		"train-images-idx3-ubyte": 1504176606, "train-labels-idx1-ubyte": 1504176606,
		"t10k-images-idx3-ubyte": 1504176627, "t10k-labels-idx1-ubyte": 1504176627,
	} {
		packed, err := os.ReadFile(filepath.Join(debian, name+".gz"))
		if err != nil {
			t.Skip("apt install dataset-fashion-mnist brings the data of this test")
		}
		header := append([]byte{0x1f, 0x8b, 8, 8}, binary.LittleEndian.AppendUint32(nil, modified)...)
		header = append(append(header, 0, 3), name+"\x00"...)
		files["/"+name+".gz"] = append(header, packed[10:]...)
	}
	return files
}

// mirror serves files, or 404 for all where there are none, and counts the requests.
func mirror(t *testing.T, files map[string][]byte) (url string, asked *[]string) {
	t.Helper()
	asked = new([]string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.URL.Path)
		content, found := files[r.URL.Path]
		if !found {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(content)
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

func TestDemoFetches(t *testing.T) {
	files := published(t)
	inWorkFolder(t)
	url, asked := mirror(t, files)
	args := []string{"demo", "--config", "tiny.toml", "--set", "data.path=fetched",
		"--set", "data.train_images=160", "--set", "data.test_images=60", "--set", "train.epochs=1", "--set", "search.epochs=1", "--set", "search.warmup_epochs=0"}
	r := done(t, append(args, "--out", "run", "--fetch", "--base-url", url)...)
	assert.Contains(t, r.stdout, "60 test images")
	assert.Len(t, *asked, len(files))
	for name := range files {
		assert.FileExists(t, filepath.Join("fetched", "fashion-mnist", name))
	}
	// What is there is not fetched again, and --yes is the same flag.
	done(t, append(args, "--out", "again", "--yes", "--base-url", url)...)
	assert.Len(t, *asked, len(files))
	// A split alone is not enough, also when a run goes on.
	require.NoError(t, os.Remove("fetched/fashion-mnist/t10k-images-idx3-ubyte.gz"))
	refused(t, []string{"demo", "--out", "run", "--resume"},
		"no test files in fetched", "`spikedhs data fetch fashion-mnist --dir fetched`")
}

func TestDemoWithoutData(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("SPIKEDHS_DATA", t.TempDir())
	refused(t, []string{"demo", "--set", "data.name=mnist"},
		"data not found; get it with `spikedhs data fetch mnist`; or add --fetch")
	refused(t, []string{"demo", "--set", "data.name=imagenet", "--fetch"}, "imagenet", "data.path")
	refused(t, []string{"train", "--config", "cifar10-paper", "--genotype", "spikedhs-cla-n3"},
		"get it with `spikedhs data fetch cifar10`")

	url, asked := mirror(t, nil)
	r := spikedhs(t, "demo", "--set", "data.name=mnist", "--fetch", "--base-url", url)
	assert.Equal(t, exitFailed, r.code)
	assert.Contains(t, r.stderr, "404 Not Found")
	assert.Len(t, *asked, 1)
	assert.NoDirExists(t, "runs")
}

func TestAgreed(t *testing.T) {
	for answer, want := range map[string]bool{
		"\n": true, "y\n": true, " YES \n": true, "n\n": false, "no\n": false, "what?\n": false, "": false, "y": false,
	} {
		var out bytes.Buffer
		yes, err := agreed(context.Background(), strings.NewReader(answer), &out, "Really?")
		require.NoError(t, err)
		assert.Equal(t, want, yes, "%q", answer)
		assert.Equal(t, "Really? [Y/n] ", out.String())
	}
	silent, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err := agreed(ctx, silent, io.Discard, "Really?")
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}
