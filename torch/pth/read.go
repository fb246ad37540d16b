package pth

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"slices"
	"strings"
)

// ErrFile is the cause of an error about a file that holds no weights.
var ErrFile = errors.New("not a checkpoint of PyTorch with weights")

// Tensor is a tensor of a checkpoint: its numbers, the last dimension fastest, little
// endian.
type Tensor struct {
	Name  string
	Type  string // as safetensors says: F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL
	Shape []int64
	Data  []byte
}

// types are the classes of storages, with the size of an element.
var types = map[string]struct {
	name string
	size int
}{
	"DoubleStorage": {"F64", 8}, "FloatStorage": {"F32", 4}, "HalfStorage": {"F16", 2}, "BFloat16Storage": {"BF16", 2},
	"LongStorage": {"I64", 8}, "IntStorage": {"I32", 4}, "ShortStorage": {"I16", 2}, "CharStorage": {"I8", 1},
	"ByteStorage": {"U8", 1}, "BoolStorage": {"BOOL", 1},
}

// stateKeys are where checkpoints keep their weights beside an optimiser and other things.
var stateKeys = []string{"state_dict", "model_state_dict", "model", "net", "network", "weights"}

// Read gives the tensors of a checkpoint in its order: those of a dictionary of tensors, or
// of the first of its entries state_dict, model_state_dict, model, net, network and weights
// that is one. A prefix "module.", which data parallelism leaves, is taken off.
func Read(file string) ([]Tensor, error) {
	archive, err := zip.OpenReader(file)
	if err != nil {
		return nil, fmt.Errorf("pth: %s: %w: %w; files of PyTorch before 1.6 are to be saved again by a newer one", file, ErrFile, err)
	}
	defer archive.Close()
	tensors, err := readArchive(&archive.Reader)
	if err != nil {
		return nil, fmt.Errorf("pth: %s: %w", file, err)
	}
	return tensors, nil
}

func readArchive(archive *zip.Reader) ([]Tensor, error) {
	a := storages{archive: archive, read: map[string][]byte{}}
	for _, f := range archive.File {
		if path.Base(f.Name) == "data.pkl" && strings.Count(f.Name, "/") <= 1 {
			a.folder = strings.TrimSuffix(f.Name, "data.pkl")
		}
	}
	text, err := a.file("data.pkl")
	if err != nil {
		return nil, err
	}
	if order, err := a.file("byteorder"); err == nil && strings.TrimSpace(string(order)) == "big" {
		return nil, fmt.Errorf("%w: its numbers are big endian", ErrFile)
	}
	value, err := unpickle(text)
	if err != nil {
		return nil, err
	}
	top, ok := value.(*Dict)
	if !ok {
		return nil, fmt.Errorf("%w: it holds no dictionary", ErrFile)
	}
	list, err := a.tensors(top)
	for _, key := range stateKeys {
		if err != nil || len(list) > 0 {
			break
		}
		if inner, ok := top.Get(key).(*Dict); ok {
			list, err = a.tensors(inner)
		}
	}
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: its entries are %s", ErrFile, entries(top))
	}
	return list, nil
}

// entries names the keys of a dictionary.
func entries(d *Dict) string {
	var names []string
	for _, key := range d.Keys[:min(len(d.Keys), 10)] {
		names = append(names, fmt.Sprint(key))
	}
	return strings.Join(names, ", ")
}

// storages are those of an archive, read when they are asked for.
type storages struct {
	archive *zip.Reader
	folder  string
	read    map[string][]byte
}

func (a *storages) file(name string) ([]byte, error) {
	f, err := a.archive.Open(a.folder + name)
	if err != nil {
		return nil, fmt.Errorf("%w: it has no %s", ErrFile, name)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return text, nil
}

// tensors are the entries of a dictionary that are tensors.
func (a *storages) tensors(d *Dict) ([]Tensor, error) {
	var result []Tensor
	for i, key := range d.Keys {
		name, ok := key.(string)
		if !ok {
			continue
		}
		made, ok := d.Values[i].(*object)
		for ok && made.of == "torch._utils._rebuild_parameter" && len(made.arguments) > 0 {
			made, ok = made.arguments[0].(*object)
		}
		if !ok || made.of != "torch._utils._rebuild_tensor_v2" {
			continue
		}
		t, err := a.tensor(made.arguments)
		if err != nil {
			return nil, fmt.Errorf("%w: tensor %s: %w", ErrFile, name, err)
		}
		t.Name = strings.TrimPrefix(name, "module.")
		result = append(result, t)
	}
	return result, nil
}

// tensor is a tensor of the arguments of _rebuild_tensor_v2: storage, offset, sizes, strides.
func (a *storages) tensor(arguments tuple) (Tensor, error) {
	if len(arguments) < 4 {
		return Tensor{}, errors.New("its description is cut")
	}
	offset, ok := arguments[1].(int64)
	shape, fits := integers(arguments[2])
	strides, also := integers(arguments[3])
	if !ok || !fits || !also || len(shape) != len(strides) {
		return Tensor{}, errors.New("its description has no sizes")
	}
	storage, kind, size, err := a.storage(arguments[0])
	if err != nil {
		return Tensor{}, err
	}
	count, last := int64(1), offset
	for i, n := range shape {
		if n < 0 || strides[i] < 0 || n > 0 && count > math.MaxInt32*16/n {
			return Tensor{}, fmt.Errorf("its shape %v with strides %v is none", shape, strides)
		}
		count *= n
	}
	for i, n := range shape {
		if n > 1 {
			if strides[i] > math.MaxInt32*16/(n-1) {
				return Tensor{}, fmt.Errorf("its shape %v with strides %v is none", shape, strides)
			}
			last += (n - 1) * strides[i]
		}
	}
	t := Tensor{Type: kind, Shape: shape}
	if count == 0 {
		return t, nil
	}
	// A stride of 0 repeats numbers: no more of them than the file holds, or few.
	if offset < 0 || last >= int64(len(storage)/size) || count > max(int64(len(storage)/size), 1<<16) {
		return Tensor{}, fmt.Errorf("%v numbers from %d on are not in its storage of %d", shape, offset, len(storage)/size)
	}
	t.Data = make([]byte, 0, count*int64(size))
	index := make([]int64, len(shape))
	for range count {
		at := offset
		for i, k := range index {
			at += k * strides[i]
		}
		t.Data = append(t.Data, storage[at*int64(size):(at+1)*int64(size)]...)
		for i := len(index) - 1; i >= 0; i-- {
			if index[i]++; index[i] < shape[i] {
				break
			}
			index[i] = 0
		}
	}
	return t, nil
}

// storage is ("storage", class, key, device, count) of a pickle, its bytes, type and size of
// an element.
func (a *storages) storage(v any) (data []byte, kind string, size int, err error) {
	outside, ok := v.(persistent)
	id, isTuple := outside.id.(tuple)
	if !ok || !isTuple || len(id) < 3 || id[0] != "storage" {
		return nil, "", 0, errors.New("it has no storage")
	}
	class, _ := id[1].(global)
	of, known := types[strings.TrimPrefix(string(class), "torch.")]
	if !known {
		return nil, "", 0, fmt.Errorf("its storage is a %s", class)
	}
	key, ok := id[2].(string)
	if !ok {
		return nil, "", 0, errors.New("its storage has no name")
	}
	if a.read[key] == nil {
		if a.read[key], err = a.file("data/" + key); err != nil {
			return nil, "", 0, err
		}
	}
	return a.read[key], of.name, of.size, nil
}

// integers are those of a tuple.
func integers(v any) ([]int64, bool) {
	t, ok := v.(tuple)
	if made, isObject := v.(*object); isObject && made.of == "torch.Size" && len(made.arguments) == 1 {
		t, ok = made.arguments[0].(tuple)
	}
	result := make([]int64, 0, len(t))
	for _, x := range t {
		n, isNumber := x.(int64)
		ok = ok && isNumber
		result = append(result, n)
	}
	return slices.Clip(result), ok
}
