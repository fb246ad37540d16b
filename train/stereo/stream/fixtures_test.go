package stream

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	data "github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/torchtest"
)

func TestMain(m *testing.M) { torchtest.Main(m) }

const width, height = 54, 42

var rig = data.Rig{Width: width, Height: height, Focal: 40, CX: 27, CY: 21, Baseline: 0.1}

// newNetwork makes a tiny network whose neurons fire. Its steps are T.
func newNetwork(t testing.TB, steps int) *stereo.Network {
	t.Helper()
	require.NoError(t, torch.Seed(7))
	g, err := genotype.Preset(genotype.PresetStereo)
	require.NoError(t, err)
	n, err := stereo.NewNetwork(torch.CPU(), g, stereo.Options{Width: 2, MaxDisparity: 21, Steps: steps})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Close()) })
	s := torch.NewInference()
	defer s.Close()
	for _, x := range n.Variables().All() {
		switch {
		case strings.HasSuffix(x.Name, "norm.running_var"):
			s.CopyTo(x.Value, s.Full(torch.CPU(), 0.1, s.Shape(x.Value)...))
		case strings.HasSuffix(x.Name, "norm.bias"):
			s.CopyTo(x.Value, s.Full(torch.CPU(), 0.3, s.Shape(x.Value)...))
		}
	}
	require.NoError(t, s.Err())
	return n
}

// newModel is the network of newNetwork, folded.
func newModel(t testing.TB, steps int) *Model {
	t.Helper()
	m, err := New(newNetwork(t, steps), About{Version: "test", Rig: rig})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}

// recording draws events of both views over some seconds.
func recording(seed uint64, seconds float64, count int) *data.Recording {
	draw := rand.New(rand.NewPCG(seed, 1))
	r := &data.Recording{Width: width, Height: height}
	for i := range count {
		t := 100 + seconds*(float64(i)+draw.Float64())/float64(count)
		e := data.Event{T: float64(microseconds(t)) / 1e6, X: uint16(draw.IntN(width)), Y: uint16(draw.IntN(height)), P: int8(2*draw.IntN(2) - 1)}
		v := data.View(draw.IntN(2))
		r.Events[v] = append(r.Events[v], e)
	}
	return r
}

// writeHead begins a pipe of events, writePacket writes one of them.
func writeHead(w io.Writer, width, height int) error {
	return binary.Write(w, binary.LittleEndian, struct {
		Magic            [8]byte
		Width, Height, _ uint16
		_                uint16
	}{[8]byte([]byte(packetMagic)), uint16(width), uint16(height), 0, 0})
}

func writePacket(w io.Writer, v data.View, e data.Event) error {
	return binary.Write(w, binary.LittleEndian, struct {
		Microseconds int64
		X, Y         uint16
		P            int8
		View         uint8
		_            uint16
	}{microseconds(e.T), e.X, e.Y, e.P, uint8(v), 0})
}

func microseconds(t float64) int64 { return int64(math.Round(t * 1e6)) }

// packets is a recording in the form of a pipe.
func packets(t testing.TB, r *data.Recording) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, writeHead(&b, r.Width, r.Height))
	rest := r.Events
	for len(rest[0])+len(rest[1]) > 0 {
		v := 0
		if len(rest[0]) == 0 || len(rest[1]) > 0 && rest[1][0].T < rest[0][0].T {
			v = 1
		}
		require.NoError(t, writePacket(&b, data.View(v), rest[v][0]))
		rest[v] = rest[v][1:]
	}
	return b.Bytes()
}

// folderOf cuts recordings into data sets' sequences of frames of 50 ms, with labels
// of made-up disparities.
func folderOf(t testing.TB, frames int, names ...string) string {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, data.WriteRig(root, rig))
	for k, name := range names {
		dir := filepath.Join(root, name)
		for _, sub := range []string{"event0", "event1", data.DisparityFolder} {
			require.NoError(t, os.MkdirAll(filepath.Join(dir, sub), 0o777))
		}
		r := recording(uint64(k), float64(frames)*0.05, 600*frames)
		var times []float64
		for f := range frames {
			end := 100 + float64(f+1)*0.05
			times = append(times, end)
			for v := range r.Events {
				var events []data.Event
				for _, e := range r.Events[v] {
					if e.T > end-0.05 && e.T < end {
						events = append(events, e)
					}
				}
				require.NoError(t, data.WriteEvents(data.EventFile(dir, data.View(v), f), events))
			}
			labels := make([]uint8, width*height)
			for i := range labels {
				labels[i] = uint8((i + 13*f) % 256)
			}
			require.NoError(t, data.WriteLabel(data.DisparityFile(dir, f), width, height, labels))
		}
		require.NoError(t, data.WriteTimestamps(filepath.Join(dir, data.TimestampsFile), times))
	}
	return root
}
