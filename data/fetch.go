package data

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// FetchOptions configure [Fetch]. The zero value is ready for use.
type FetchOptions struct {
	// BaseURL is where the files are, in place of the official address: a
	// mirror that has them under the same names.
	BaseURL string
	// Client makes the requests. Default: one that waits 30 s for an answer.
	Client *http.Client
	// Progress, when set, is told the bytes of file that are there, those of an
	// earlier run included, and its size, -1 if the server does not say it.
	Progress func(file string, done, total int64)
}

// Fetch brings the published files of a data set into a sub-folder of dir and
// returns that folder, which [Open] takes as its path. An empty dir means
// [DefaultDir].
//
// Each file is written under a name that ends in .part, compared with its
// published MD5 sum and then renamed, so a file under its own name is whole. A
// .part file left by a cancelled or failed run is continued. A file that is
// there is checked and not downloaded again.
//
// It fails with [ErrUnknown], with [ErrNotFound] for a set that has no public address,
// with [ErrChecksum], with the error of ctx, or when
// the server or the disk does.
func Fetch(ctx context.Context, name, dir string, opts FetchOptions) (folder string, err error) {
	s, err := Lookup(name)
	if err != nil {
		return "", err
	}
	src := s.files
	switch {
	case s.recordings != nil:
		return "", s.recordings.explain(fmt.Errorf("it cannot be fetched: %w", ErrNotFound))
	case src == nil:
		return "", fmt.Errorf("%s cannot be fetched: %w", name, ErrNotFound)
	case src.manual != "":
		return "", fmt.Errorf("%s cannot be fetched: %s: %w", src.Name, src.manual, ErrNotFound)
	}
	if dir == "" {
		dir = DefaultDir()
	}
	return src.fetch(ctx, dir, opts)
}

// Fetchable reports whether [Fetch] can bring a data set.
func Fetchable(name string) bool {
	s, err := Lookup(name)
	return err == nil && s.files != nil && s.files.manual == ""
}

// FetchSize is how many bytes [Fetch] brings of a data set, 0 where it brings none.
func FetchSize(name string) int64 {
	s, err := Lookup(name)
	if err != nil || s.files == nil {
		return 0
	}
	var size int64
	for _, file := range s.files.remote {
		size += file.size
	}
	return size
}

// fetch is Fetch for a known set.
func (s *source) fetch(ctx context.Context, dir string, opts FetchOptions) (folder string, err error) {
	if opts.BaseURL == "" {
		opts.BaseURL = s.address
	}
	if opts.Client == nil {
		opts.Client = patientClient()
	}
	folder = filepath.Join(dir, s.folder)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", fmt.Errorf("%s: %w; choose a folder that can be written (SPIKEDHS_DATA names the usual one)", s.Name, err)
	}
	for _, file := range s.remote {
		d := download{
			client: opts.Client,
			url:    strings.TrimSuffix(opts.BaseURL, "/") + "/" + file.name,
			path:   filepath.Join(folder, file.name),
			md5:    file.md5,
		}
		if opts.Progress != nil {
			d.progress = func(done, total int64) { opts.Progress(file.name, done, total) }
		}
		if err := d.run(ctx); err != nil {
			return "", fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	return folder, nil
}

// patientClient gives up on a silent server, never on a slow download.
func patientClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = 30 * time.Second
	return &http.Client{Transport: transport}
}
