package stereo

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
)

// CacheFolder is the folder of a data set in which stacks are kept by default.
const CacheFolder = ".stacks"

// cacheMagic starts a file of a kept stack; its digit is the version of everything
// that decides what a stack holds.
const cacheMagic = "SDHSBT1\n"

// cacheKey is the hash of all that a stack depends on: the events, known by size and
// time of change of their file, the time that the stack ends, the bins, the picture.
func cacheKey(info os.FileInfo, b Binning, end float64, width, height int) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%s %d %d %d %x %d %d %x %x", cacheMagic, info.Size(), info.ModTime().UnixNano(),
		b.Bins, math.Float64bits(b.Width), width, height, math.Float64bits(end), math.Float64bits(slack)))
}

// kept is a packed stack and what was wrong with its events.
type kept struct {
	packed []byte
	counts Counts
}

// readKept reads a file of the cache. Whatever is wrong with it, it does not exist.
func readKept(path string, key [sha256.Size]byte, size int) (kept, bool) {
	b, err := os.ReadFile(path)
	b, ours := bytes.CutPrefix(b, append([]byte(cacheMagic), key[:]...))
	if err != nil || !ours || len(b) != 4+8*len(countNames)+size {
		return kept{}, false
	}
	sum := binary.LittleEndian.Uint32(b)
	if b = b[4:]; crc32.ChecksumIEEE(b) != sum {
		return kept{}, false
	}
	var k kept
	for _, field := range k.counts.fields() {
		*field = int(binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
	k.packed = b
	return k, validPacked(b)
}

// writeKept writes a file of the cache whole or not at all.
func writeKept(path string, key [sha256.Size]byte, k kept) error {
	body := make([]byte, 0, 8*len(countNames)+len(k.packed))
	for _, field := range k.counts.fields() {
		body = binary.LittleEndian.AppendUint64(body, uint64(*field))
	}
	body = append(body, k.packed...)
	b := append([]byte(cacheMagic), key[:]...)
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(body))
	b = append(b, body...)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return Whole(path, func(path string) error { return os.WriteFile(path, b, 0o666) })
}

// Whole writes a file under another name first, so that path is never half a file.
func Whole(path string, write func(path string) error) error {
	temporary := path + "." + rand.Text()[:8] + ".tmp"
	err := write(temporary)
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		_ = os.Remove(temporary)
	}
	return err
}

// memoryKey names a stack of a view, or with view -1 the label of a frame.
type memoryKey struct {
	frame Frame
	view  View
}

const labelView View = -1
