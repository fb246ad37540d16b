package data

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// content is a file that no read buffer holds at once.
var content = bytes.Repeat([]byte("0123456789abcde\n"), 20_000)

// mirrorServer is a server that remembers the Range of each request.
type mirrorServer struct {
	*httptest.Server
	mu     sync.Mutex
	ranges []string
}

func serve(t *testing.T, handler http.HandlerFunc) *mirrorServer {
	t.Helper()
	m := &mirrorServer{}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.mu.Lock()
		m.ranges = append(m.ranges, r.Header.Get("Range"))
		m.mu.Unlock()
		handler(w, r)
	}))
	t.Cleanup(m.Close)
	return m
}

// whole serves content with Range support.
func whole(w http.ResponseWriter, r *http.Request) {
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// newDownload is a download of content from a server into a new folder.
func newDownload(t *testing.T, server *mirrorServer) *download {
	t.Helper()
	return &download{
		client: server.Client(),
		url:    server.URL + "/set.bin",
		path:   filepath.Join(t.TempDir(), "set.bin"),
		md5:    md5Of(content),
	}
}

func assertDownloaded(t *testing.T, d *download) {
	t.Helper()
	got, err := os.ReadFile(d.path)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(content, got))
	assert.NoFileExists(t, d.path+".part")
}

func TestDownloadReportsProgress(t *testing.T) {
	d := newDownload(t, serve(t, whole))
	last := int64(0)
	d.progress = func(done, total int64) {
		assert.Greater(t, done, last)
		assert.Equal(t, int64(len(content)), total)
		last = done
	}
	require.NoError(t, d.run(context.Background()))
	assert.Equal(t, int64(len(content)), last)
	assertDownloaded(t, d)
}

func TestDownloadSkipsWholeFiles(t *testing.T) {
	server := serve(t, whole)
	d := newDownload(t, server)
	require.NoError(t, os.WriteFile(d.path, content, 0o644))
	require.NoError(t, d.run(context.Background()))
	assert.Empty(t, server.ranges, "nothing was asked for")

	require.NoError(t, os.WriteFile(d.path, content[1:], 0o644))
	err := d.run(context.Background())
	requireOneLine(t, err, ErrChecksum, d.path, "remove it")
	assert.FileExists(t, d.path, "a file that this program may not have written is left alone")
}

func TestDownloadResumesAfterBrokenConnection(t *testing.T) {
	first := true
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if !first {
			whole(w, r)
			return
		}
		first = false
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		w.Write(content[:100_000])
	})
	d := newDownload(t, server)
	err := d.run(context.Background())
	require.ErrorContains(t, err, "stopped after 100000 bytes")
	require.NotContains(t, err.Error(), "\n")
	require.NoFileExists(t, d.path)

	start := int64(-1)
	d.progress = func(done, total int64) {
		if start < 0 {
			start = done
		}
		assert.Equal(t, int64(len(content)), total)
	}
	require.NoError(t, d.run(context.Background()))
	assert.Equal(t, []string{"", "bytes=100000-"}, server.ranges)
	assert.Greater(t, start, int64(100_000), "progress counts what was there")
	assertDownloaded(t, d)
}

func TestDownloadFromServerWithoutRanges(t *testing.T) {
	d := newDownload(t, serve(t, func(w http.ResponseWriter, r *http.Request) { w.Write(content) }))
	require.NoError(t, os.WriteFile(d.path+".part", []byte("what is left of another attempt"), 0o644))
	require.NoError(t, d.run(context.Background()))
	assertDownloaded(t, d)
}

// A part that is as long as the file makes the server answer 416.
func TestDownloadOfWholePart(t *testing.T) {
	server := serve(t, whole)
	d := newDownload(t, server)
	require.NoError(t, os.WriteFile(d.path+".part", content, 0o644))
	require.NoError(t, d.run(context.Background()))
	assert.Len(t, server.ranges, 1)
	assertDownloaded(t, d)
}

func TestDownloadOfTooLongPartStartsAgain(t *testing.T) {
	server := serve(t, whole)
	d := newDownload(t, server)
	require.NoError(t, os.WriteFile(d.path+".part", append(bytes.Clone(content), "more"...), 0o644))
	require.NoError(t, d.run(context.Background()))
	assert.Equal(t, []string{fmt.Sprintf("bytes=%d-", len(content)+4), ""}, server.ranges)
	assertDownloaded(t, d)
}

func TestDownloadRefusesWrongRange(t *testing.T) {
	d := newDownload(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Range", "bytes 5-9/10")
		w.WriteHeader(http.StatusPartialContent)
		w.Write([]byte("56789"))
	}))
	require.NoError(t, os.WriteFile(d.path+".part", []byte("012"), 0o644))
	err := d.run(context.Background())
	require.ErrorContains(t, err, `"bytes 5-9/10"`)
	kept, err := os.ReadFile(d.path + ".part")
	require.NoError(t, err)
	assert.Equal(t, "012", string(kept))
}

func TestDownloadWithWrongChecksum(t *testing.T) {
	d := newDownload(t, serve(t, func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("not the file")) }))
	requireOneLine(t, d.run(context.Background()), ErrChecksum, d.url, d.md5)
	assert.NoFileExists(t, d.path)
	assert.NoFileExists(t, d.path+".part", "nothing wrong is left to resume from")
}

func TestDownloadNotThere(t *testing.T) {
	d := newDownload(t, serve(t, http.NotFound))
	err := d.run(context.Background())
	require.ErrorContains(t, err, "404 Not Found")
	assert.ErrorContains(t, err, d.url)
	assert.NoFileExists(t, d.path+".part")
}

func TestDownloadKeepsPartOnCancel(t *testing.T) {
	release := make(chan struct{})
	var hold atomic.Bool
	hold.Store(true)
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if !hold.Load() {
			whole(w, r)
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		w.Write(content[:50_000])
		w.(http.Flusher).Flush()
		<-release
	})
	t.Cleanup(func() { close(release) })
	d := newDownload(t, server)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	d.progress = func(done, _ int64) {
		if done == 50_000 {
			cancel()
		}
	}
	require.ErrorIs(t, d.run(ctx), context.Canceled)
	part, err := os.ReadFile(d.path + ".part")
	require.NoError(t, err)
	require.Equal(t, content[:50_000], part)

	hold.Store(false)
	require.NoError(t, d.run(context.Background()))
	assertDownloaded(t, d)
}

// Fetch asks for the published names, in the set's own folder, and trusts
// nothing that has not the published sum.
func TestFetch(t *testing.T) {
	var asked []string
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, strings.TrimPrefix(r.URL.Path, "/sub/"))
		w.Write(content)
	})
	dir := t.TempDir()
	opts := FetchOptions{BaseURL: server.URL + "/sub/"}
	var files []string
	opts.Progress = func(file string, done, total int64) { files = append(files, file) }
	_, err := Fetch(context.Background(), "cifar100", dir, opts)
	requireOneLine(t, err, ErrChecksum, "cifar100: ", "03b5dce01913d631647c71ecec9e9cb8")
	assert.Equal(t, []string{"cifar-100-binary.tar.gz"}, asked)
	assert.Contains(t, files, "cifar-100-binary.tar.gz")
	assert.DirExists(t, filepath.Join(dir, "cifar100"))

	_, err = Fetch(context.Background(), "svhn", dir, opts)
	requireOneLine(t, err, ErrUnknown)

	blocked := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(blocked, nil, 0o644))
	_, err = Fetch(context.Background(), "mnist", blocked, opts)
	assert.ErrorContains(t, err, "choose a folder")
}

// What Fetch brings, Open finds: all files of a set, and only once.
func TestFetchThenOpen(t *testing.T) {
	published := map[string][]byte{
		"train-images-idx3-ubyte.gz": gzipped(t, idxFile(twoImages, 2, 2, 3)),
		"train-labels-idx1-ubyte.gz": gzipped(t, idxFile(twoLabels, 2)),
	}
	var asked []string
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path[1:])
		w.Write(published[r.URL.Path[1:]])
	})
	src := &source{
		Source: Source{Name: "tiny", Classes: digitClasses}, folder: "tiny", format: mnistFormat{}, address: server.URL,
	}
	for name, body := range published {
		src.remote = append(src.remote, remoteFile{name, md5Of(body), int64(len(body))})
	}
	dir := t.TempDir()
	for range 2 {
		got, err := src.fetch(context.Background(), dir, FetchOptions{})
		require.NoError(t, err)
		assert.Equal(t, filepath.Join(dir, "tiny"), got)
	}
	assert.Len(t, asked, 2)
	set, err := src.open(context.Background(), dir, Train, OpenOptions{})
	require.NoError(t, err)
	pixels, _ := readAll(t, set)
	assert.Equal(t, twoImages, pixels)
}
