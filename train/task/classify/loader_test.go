package classify

import (
	"context"
	"io"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
)

// feedDevices are the devices of this machine.
func feedDevices(t *testing.T) []torch.Device {
	list := []torch.Device{torch.CPU()}
	if torch.CUDAMissing() == "" {
		d, err := torch.ParseDevice("cuda")
		require.NoError(t, err)
		list = append(list, d)
	}
	return list
}

// Images that the device augments are those of the loader, bit for bit.
func TestResidentImagesAreTheLoaders(t *testing.T) {
	before := torch.LiveTensors()
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
		for _, d := range feedDevices(t) {
			t.Run(name+" "+torch.DeviceName(d), func(t *testing.T) {
				loader, err := data.NewLoader(set, data.LoaderOptions{Batch: 5, Seed: 4, Shuffle: true, Augment: augment})
				require.NoError(t, err)
				cfg := config.Default()
				cfg.Data.Resident = "on"
				f, err := newFeed(cfg, d, loader, 5)
				require.NoError(t, err)
				require.NotNil(t, f.resident)
				defer f.Close()
				a, b := loader.Epoch(context.Background(), 1, 0), f.Epoch(context.Background(), 1, 0)
				defer a.Close()
				defer b.Close()
				var static []torch.Tensor
				keep := torch.NewInference()
				defer keep.Close()
				for {
					want, err := a.Next()
					if err == io.EOF {
						break
					}
					require.NoError(t, err)
					got, err := b.Next()
					require.NoError(t, err)
					s := torch.NewInference()
					if static == nil {
						static = got.Upload(keep, d)
					}
					parts := got.Upload(s, d)
					if got.N == f.Size() {
						got.Overwrite(s, static)
						parts = static
					}
					x := f.Tensors(s, parts, got.N)
					images, err := torch.ToSlice[float32](x.Inputs[0])
					require.NoError(t, err)
					require.Equal(t, want.Images, images)
					have, err := torch.ToSlice[int64](x.Target)
					require.NoError(t, err)
					require.Equal(t, want.Labels, have)
					assert.Equal(t, []int64{int64(want.N), int64(want.C), int64(want.H), int64(want.W)}, s.Shape(x.Inputs[0]))
					require.NoError(t, s.Close())
					want.Release()
					got.Release()
				}
			})
		}
	}
	assert.Equal(t, before, torch.LiveTensors())
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
	loader, err := data.NewLoader(set, data.LoaderOptions{Batch: 2})
	require.NoError(t, err)
	for residence, want := range map[string]bool{"auto": false, "off": false, "on": true} {
		c := config.Default()
		c.Data.Resident = residence
		f, err := newFeed(c, torch.CPU(), loader, 20)
		require.NoError(t, err)
		assert.Equal(t, want, f.resident != nil, residence)
		assert.Equal(t, 5, f.Size(), "no batch is larger than the set")
		require.NoError(t, f.Close())
	}
	assert.EqualValues(t, 5*6, bytesOf(set))
}
