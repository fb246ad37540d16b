package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spikedhs/spikedhs/configs"
)

// read returns the text of a source and the name it has in errors.
func read(source string) (name, document string, err error) {
	if !isPath(source) && slices.Contains(configs.Names(), source) {
		preset, err := configs.Read(source)
		return source + ".toml", string(preset), err
	}
	content, err := os.ReadFile(source)
	if err == nil {
		return source, string(content), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", "", fmt.Errorf("%w: cannot read %s: %w", ErrInvalid, quote(source), plain(err))
	}
	if isPath(source) {
		return "", "", fmt.Errorf("%w: there is no file %s%s", ErrInvalid, quote(source), presetHint(source))
	}
	return "", "", fmt.Errorf("%w: there is no preset and no file %s; the presets are %s",
		ErrInvalid, quote(source), strings.Join(configs.Names(), ", "))
}

func isPath(source string) bool {
	return strings.ContainsAny(source, `/`+string(filepath.Separator)) || strings.HasSuffix(source, ".toml")
}

// presetHint names the preset that someone who asked for a file may have meant.
func presetHint(source string) string {
	name := strings.TrimSuffix(filepath.Base(source), ".toml")
	if slices.Contains(configs.Names(), name) {
		return "; did you mean the preset " + name + "?"
	}
	return ""
}

// plain strips the operation and the path, which the message has already.
func plain(err error) error {
	var failed *fs.PathError
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}
