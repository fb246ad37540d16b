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
)

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
