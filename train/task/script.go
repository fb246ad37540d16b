package task

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/spikedhs/spikedhs/search/export/onnx"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/run"
)

// InfoFile is the name of the description inside an exported archive.
const InfoFile = "spikedhs.json"

// SaveScript writes a TorchScript archive with a description, atomically; files are the
// others that lie in it. libtorch writes to a path of its own and names the archive's
// folder after it, so the file is made whole in a folder beside its place.
func SaveScript(path string, info any, files map[string]string, script func(files map[string]string) *torch.Script) error {
	all, err := described(info, files)
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp(filepath.Dir(path), ".export-*")
	if err != nil {
		return fmt.Errorf("train: export: %w", err)
	}
	defer os.RemoveAll(scratch)
	made := filepath.Join(scratch, filepath.Base(path))
	if err := script(all).Save(made); err != nil {
		return err
	}
	return run.WriteFileAtomic(path, func(w io.Writer) error {
		f, err := os.Open(made)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(w, f)
		return err
	})
}

// IsONNX tells by the name of a file whether it is an ONNX model; others are TorchScript.
func IsONNX(path string) bool { return strings.EqualFold(filepath.Ext(path), ".onnx") }

// SaveONNX writes an ONNX model with the same description and files, as its metadata.
func SaveONNX(path string, info any, files map[string]string, model func(files map[string]string) (*onnx.Model, error)) error {
	all, err := described(info, files)
	if err != nil {
		return err
	}
	m, err := model(all)
	if err != nil {
		return fmt.Errorf("train: export: %w", err)
	}
	return m.Save(path)
}

// described are the files that lie in a model, its description among them.
func described(info any, files map[string]string) (map[string]string, error) {
	text, err := json.MarshalIndent(info, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("train: export: %w", err)
	}
	all := map[string]string{InfoFile: string(text)}
	maps.Copy(all, files)
	return all, nil
}

// ModelKind is what the description of an exported archive says that it is, "" for a
// network of images; ok is false where a file is no such archive.
func ModelKind(path string) (kind string, ok bool) {
	text, err := torch.ScriptExtra(path, InfoFile)
	if err != nil {
		return "", false
	}
	var of struct {
		Kind string `json:"kind"`
	}
	err = json.Unmarshal([]byte(text), &of)
	return of.Kind, err == nil
}
