package data

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// eachMember calls visit for those of the wanted files that exist in where, a
// folder or a .tar.gz archive, and stops at the first error. Errors name the
// file they belong to.
func eachMember(ctx context.Context, where string, wanted []string, visit func(name string, r io.Reader) error) error {
	if isFile(where) {
		return eachInArchive(ctx, where, wanted, visit)
	}
	return eachInFolder(ctx, where, wanted, visit)
}

func eachInFolder(ctx context.Context, folder string, wanted []string, visit func(string, io.Reader) error) error {
	for _, name := range wanted {
		file, err := os.Open(filepath.Join(folder, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		err = visit(name, contextReader{ctx, file})
		file.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Join(folder, name), err)
		}
	}
	return nil
}

// eachInArchive streams the archive, which is never unpacked to disk. It reads
// on to the end, so that the checksum of the compressed stream is compared.
func eachInArchive(ctx context.Context, archive string, wanted []string, visit func(string, io.Reader) error) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(bufio.NewReaderSize(contextReader{ctx, file}, 1<<18))
	if err != nil {
		return fmt.Errorf("%s: %w", archive, contentError(err))
	}
	members := tar.NewReader(unzipped)
	for {
		header, err := members.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("%s: %w", archive, contentError(err))
		}
		name := path.Base(header.Name)
		if header.Typeflag != tar.TypeReg || !slices.Contains(wanted, name) {
			continue
		}
		if err := visit(name, members); err != nil {
			return fmt.Errorf("%s: %s: %w", archive, header.Name, err)
		}
	}
	if _, err := io.Copy(io.Discard, unzipped); err != nil {
		return fmt.Errorf("%s: %w", archive, contentError(err))
	}
	return nil
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}
