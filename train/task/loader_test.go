package task

import (
	"context"
	"fmt"
	"io"
	"math/rand"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/data/synth"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/live"
	"github.com/spikedhs/spikedhs/train/config"
)

// devices are those of this machine.
func devices(t *testing.T) []torch.Device {
	list := []torch.Device{torch.CPU()}
	if torch.CUDAMissing() == "" {
		d, err := torch.ParseDevice("cuda")
		require.NoError(t, err)
		list = append(list, d)
	}
	return list
}

// kept is a loader of the same batches whose data set lies on a device.
func kept(t *testing.T, d torch.Device, of *data.Loader) *Loader {
	t.Helper()
	l := NewLoader(of)
	require.NoError(t, l.Keep(d, &config.Data{Resident: "on"}))
	require.NotNil(t, l.resident)
	return l
}

// requireSame compares an epoch that a device makes with the loader's, bit for bit.
func requireSame(t *testing.T, d torch.Device, loader *data.Loader) {
	t.Helper()
	l := kept(t, d, loader)
	defer l.Close()
	a, b := loader.Epoch(context.Background(), 1, 0), l.Epoch(context.Background(), 1, 0)
	defer a.Close()
	defer b.Close()
	var static []torch.Tensor
	keep := torch.NewInference()
	defer keep.Close()
	for range loader.Batches() {
		want, err := a.Next()
		require.NoError(t, err)
		got, err := b.Next()
		require.NoError(t, err)
		assert.Nil(t, got.Inputs)
		s := torch.NewInference()
		if static == nil {
			static = l.Upload(keep, d, got)
		}
		parts := l.Upload(s, d, got)
		if got.N == l.Size() {
			l.Overwrite(s, got, static)
			parts = static
		}
		x := l.Tensors(s, parts, got.N)
		require.Len(t, x.Inputs, len(want.Inputs))
		for i, input := range x.Inputs {
			values, err := torch.ToSlice[float32](input)
			require.NoError(t, err)
			require.Equal(t, want.Inputs[i], values)
			assert.Equal(t, sizes([]int{want.T * want.N, want.C, want.H, want.W}), s.Shape(input))
		}
		if want.Truth != nil {
			truth, err := torch.ToSlice[float32](x.Target)
			require.NoError(t, err)
			require.Equal(t, want.Truth, truth)
			assert.Equal(t, sizes([]int{want.T * want.N, want.H, want.W}), s.Shape(x.Target))
		} else {
			labels, err := torch.ToSlice[int64](x.Target)
			require.NoError(t, err)
			require.Equal(t, want.Labels, labels)
		}
		require.NoError(t, s.Close())
		want.Release()
		got.Release()
	}
	_, err := b.Next()
	assert.Equal(t, io.EOF, err)
}

// Images that the device augments are those of the loader, bit for bit.
func TestResidentImagesAreTheLoaders(t *testing.T) {
	live.Same(t, torch.LiveTensors)
	rng := rand.New(rand.NewSource(1))
	const n, c, h, w = 23, 3, 7, 5
	pixels, labels := make([]byte, n*c*h*w), make([]int, n)
	for i := range pixels {
		pixels[i] = byte(rng.Intn(256))
	}
	for i := range labels {
		labels[i] = rng.Intn(4)
	}
	set, err := data.NewMemory("noise", []string{"a", "b", "c", "d"}, c, h, w, pixels, labels)
	require.NoError(t, err)
	mean, std := []float32{0.1, 0.5, 0.7}, []float32{0.2, 0.3, 0.4}
	for name, augment := range map[string]data.Augment{
		"plain":            {},
		"padded":           {Pad: 2, Mean: mean, Std: std},
		"all":              {Pad: 1, CropPadding: 3, Flip: true, Cutout: 4, Mean: mean, Std: std},
		"odd cutout":       {CropPadding: 1, Flip: true, Cutout: 3},
		"crop beyond":      {CropPadding: 9, Flip: true, Mean: mean, Std: std},
		"cutout beyond it": {Cutout: 40, Mean: mean, Std: std},
	} {
		for _, d := range devices(t) {
			t.Run(name+" "+torch.DeviceName(d), func(t *testing.T) {
				loader, err := data.NewLoader(set, data.LoaderOptions{Batch: 5, Seed: 4, Shuffle: true, Augment: augment})
				require.NoError(t, err)
				requireSame(t, d, loader)
			})
		}
	}
}

// scenes makes scenes of 36x24 pixels.
func scenes(t *testing.T, scenes, frames int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	o, err := synth.Preset("small")
	require.NoError(t, err)
	o.Scenes, o.Frames, o.Seed = scenes, frames, 3
	o.Rig = stereo.Rig{Width: 36, Height: 24, Focal: 20, CX: 17.5, CY: 11.5, Baseline: 0.1}
	require.NoError(t, synth.Generate(context.Background(), dir, o))
	return dir
}

// opened is a data set in stacks of so many bins, 0 for the default, and its frames.
func opened(t *testing.T, dir string, bins int) (*stereo.Set, []stereo.Frame) {
	t.Helper()
	set, err := stereo.Open(dir, stereo.Options{Binning: stereo.Binning{Bins: bins}, Cache: "none"})
	require.NoError(t, err)
	frames, err := set.Frames()
	require.NoError(t, err)
	return set, frames
}

// Windows that the device cuts out of packed stacks and label images are those of the
// loader, bit for bit.
func TestResidentWindowsAreTheLoaders(t *testing.T) {
	live.Same(t, torch.LiveTensors)
	dir := scenes(t, 2, 5)
	for _, bins := range []int{5, 3, 7} { // a plane, a part of one, and two of which one is a part
		set, frames := opened(t, dir, bins)
		for name, w := range map[string]stereo.WindowOptions{
			"cut": {Steps: 3, CropHeight: 10, CropWidth: 17}, "whole": {Steps: 2}, "one step": {Steps: 1, CropHeight: 23, CropWidth: 36},
		} {
			for _, d := range devices(t) {
				t.Run(fmt.Sprintf("%s, %d bins, %s", name, bins, torch.DeviceName(d)), func(t *testing.T) {
					loader, err := stereo.NewLoader(set, frames, w, data.LoaderOptions{Batch: 4, Seed: 4, Shuffle: true})
					require.NoError(t, err)
					requireSame(t, d, loader)
				})
			}
		}
	}
}

// What cannot be read is told.
func TestResidentFaults(t *testing.T) {
	live.Same(t, torch.LiveTensors)
	set, frames := opened(t, scenes(t, 1, 3), 0)
	loader, err := stereo.NewLoader(set, frames, stereo.WindowOptions{Steps: 1}, data.LoaderOptions{Batch: 1})
	require.NoError(t, err)
	require.NoError(t, os.Remove(stereo.EventFile(set.Dir(frames[1].Sequence), stereo.Right, frames[1].Index)))
	err = NewLoader(loader).Keep(torch.CPU(), &config.Data{Resident: "on"})
	require.ErrorContains(t, err, "train: data on the device: frame 1")
}

func TestAugmentRefusesWhatDoesNotFit(t *testing.T) {
	good := func(s *torch.Scope) []any {
		return []any{
			torch.FromSlice(s, make([]byte, 2*3*4*4), 2, 3, 4, 4), torch.FromSlice(s, []int64{0, 1}, 2),
			torch.FromSlice(s, make([]int32, 10), 2, 5), torch.FromSlice(s, make([]float32, 3*256), 3, 256), 4, 4, 0,
		}
	}
	for text, change := range map[string]func(s *torch.Scope, args []any){
		"images must be a contiguous Byte":       func(s *torch.Scope, a []any) { a[0] = s.Zeros(torch.CPU(), 2, 3, 4, 4) },
		"index must be a contiguous Long":        func(s *torch.Scope, a []any) { a[1] = torch.FromSlice(s, []int32{0, 1}, 2) },
		"image 2 of 2 does not exist":            func(s *torch.Scope, a []any) { a[1] = torch.FromSlice(s, []int64{0, 2}, 2) },
		"image -1 of 2 does not exist":           func(s *torch.Scope, a []any) { a[1] = torch.FromSlice(s, []int64{-1, 0}, 2) },
		"want 5 choices for each of 2 images":    func(s *torch.Scope, a []any) { a[2] = torch.FromSlice(s, make([]int32, 8), 2, 4) },
		"want 256 values for each of 3 channels": func(s *torch.Scope, a []any) { a[3] = torch.FromSlice(s, make([]float32, 256), 1, 256) },
		"output 0x4, cutout 0":                   func(_ *torch.Scope, a []any) { a[4] = 0 },
	} {
		t.Run(text, func(t *testing.T) {
			s := torch.NewInference()
			defer s.Close()
			args := good(s)
			change(s, args)
			s.Call("spikedhs::augment", args...)
			assert.ErrorContains(t, s.Err(), text)
		})
	}
}

// On the CPU the images stay with the loader unless it is asked for.
func TestWhereImagesStay(t *testing.T) {
	set, err := data.NewMemory("noise", []string{"a", "b"}, 1, 3, 2, make([]byte, 5*6), []int{0, 1, 0, 1, 0})
	require.NoError(t, err)
	loader, err := data.NewLoader(set, data.LoaderOptions{Batch: 20})
	require.NoError(t, err)
	for residence, want := range map[string]bool{"auto": false, "off": false, "on": true} {
		l := NewLoader(loader)
		require.NoError(t, l.Keep(torch.CPU(), &config.Data{Resident: residence}))
		assert.Equal(t, want, l.resident != nil, residence)
		assert.Equal(t, 5, l.Size(), "no batch is larger than the set")
		require.NoError(t, l.Close())
	}
	assert.EqualValues(t, 5*6, loader.Examples().Bytes())
}
