package data

import (
	"cmp"
	"context"
	"crypto/md5" // the sums that the data sets are published with; not for security
	"encoding/hex"
	"errors"
	"fmt"
	"io"
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
// with [ErrChecksum], with the error of ctx, or when the server or the disk does.
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
	return src.fetch(ctx, cmp.Or(dir, DefaultDir()), opts)
}

// Fetchable reports whether [Fetch] can bring a data set.
func Fetchable(name string) bool { return FetchSize(name) > 0 }

// FetchSize is how many bytes [Fetch] brings of a data set, 0 where it brings none.
func FetchSize(name string) int64 {
	var size int64
	if s := sources[name]; s != nil && s.files != nil {
		for _, file := range s.files.remote {
			size += file.size
		}
	}
	return size
}

// fetch is Fetch for a known set.
func (s *source) fetch(ctx context.Context, dir string, opts FetchOptions) (folder string, err error) {
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
			url:    strings.TrimSuffix(cmp.Or(opts.BaseURL, s.address), "/") + "/" + file.name,
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

// download is one file on its way to path.
type download struct {
	client   *http.Client
	url      string
	path     string
	md5      string
	progress func(done, total int64) // may be nil
}

// run makes sure that path holds the published file.
func (d *download) run(ctx context.Context) error {
	if isFile(d.path) {
		if err := d.verify(ctx, d.path); err != nil {
			return fmt.Errorf("%w; remove it to download it again", err)
		}
		return nil
	}
	part := d.path + ".part"
	if err := d.transfer(ctx, part); err != nil {
		return err
	}
	if err := d.verify(ctx, part); err != nil {
		if errors.Is(err, ErrChecksum) {
			os.Remove(part)
			return fmt.Errorf("%s: %w; the download was removed, try again or use another address", d.url, err)
		}
		return err
	}
	return os.Rename(part, d.path)
}

// transfer completes the file part, from where it ends if the server can.
func (d *download) transfer(ctx context.Context, part string) error {
	var offset int64
	if info, err := os.Stat(part); err == nil {
		offset = info.Size()
	}
	resp, err := d.get(ctx, offset)
	if err != nil {
		return err
	}
	if resp.StatusCode == http.StatusRequestedRangeNotSatisfiable {
		resp.Body.Close()
		if d.verify(ctx, part) == nil { // an earlier run ended just before the rename
			return nil
		}
		offset = 0
		if resp, err = d.get(ctx, offset); err != nil {
			return err
		}
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusOK: // the whole file, whatever was asked for
		offset = 0
	case resp.StatusCode == http.StatusPartialContent && rangeStart(resp) == offset:
	case resp.StatusCode == http.StatusPartialContent:
		return fmt.Errorf("%s: the server sent %q, not what follows byte %d; remove %s and try again",
			d.url, resp.Header.Get("Content-Range"), offset, part)
	default:
		return fmt.Errorf("%s: the server answered %s; check the address or use another", d.url, resp.Status)
	}
	return d.save(resp, part, offset)
}

// get asks for the bytes from offset on.
func (d *download) get(ctx context.Context, offset int64) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept-Encoding", "identity") // a .gz file is to arrive as it is
	if offset > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w; check the network and try again", err)
	}
	return resp, nil
}

// save writes the body behind the first offset bytes of part and cuts off what
// was there. What has arrived stays when the body breaks off.
func (d *download) save(resp *http.Response, part string, offset int64) (err error) {
	file, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, file.Close()) }()
	if err := file.Truncate(offset); err != nil {
		return err
	}
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		return err
	}
	total := int64(-1)
	if resp.ContentLength >= 0 {
		total = offset + resp.ContentLength
	}
	counter := &countingWriter{w: file, done: offset, total: total, report: d.progress}
	if _, err := io.Copy(counter, resp.Body); err != nil {
		return fmt.Errorf("%s: stopped after %d bytes: %w; run it again to go on from there", d.url, counter.done, err)
	}
	return file.Sync()
}

// verify compares the MD5 sum of a file with the published one.
func (d *download) verify(ctx context.Context, name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	sum := md5.New()
	if _, err := io.Copy(sum, contextReader{ctx, file}); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != d.md5 {
		return fmt.Errorf("%s has MD5 sum %s, not %s: %w", name, got, d.md5, ErrChecksum)
	}
	return nil
}

// rangeStart is the first byte that a partial answer holds, -1 if it does not say.
func rangeStart(resp *http.Response) int64 {
	var start int64
	if _, err := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-", &start); err != nil {
		return -1
	}
	return start
}

// countingWriter reports how far a file has got.
type countingWriter struct {
	w           io.Writer
	done, total int64
	report      func(done, total int64)
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.done += int64(n)
	if c.report != nil {
		c.report(c.done, c.total)
	}
	return n, err
}
