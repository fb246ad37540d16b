package spike

import (
	"fmt"
	"testing"

	"github.com/spikedhs/spikedhs/torch"
)

// BenchmarkLIF measures the fused operator on tensors beyond the caches; the
// rate counts the bytes that must move.
func BenchmarkLIF(b *testing.B) {
	defer torch.Pin()()
	const steps, n = 6, 6 * 8 * 144 * 32 * 32
	for _, dtype := range []int8{torch.Float32, torch.BFloat16} {
		size := map[int8]int{torch.Float32: 4, torch.BFloat16: 2}[dtype]
		s := torch.NewScope()
		current := s.Cast(s.Randn(torch.CPU(), 6*8, 144, 32, 32), dtype)
		if err := torch.RequireGradient(current, true); err != nil {
			b.Fatal(err)
		}
		temperature := torch.FromSlice(s, []float32{3}, 1)
		grad := s.Clone(s.Detach(current))
		b.Run(fmt.Sprintf("forward/%d-byte", size), func(b *testing.B) {
			b.SetBytes(2 * int64(size) * n)
			for b.Loop() {
				c := s.WithoutGradient()
				Default().Fire(c, current, temperature, steps)
				c.Close()
			}
		})
		b.Run(fmt.Sprintf("backward/%d-byte", size), func(b *testing.B) {
			b.SetBytes(3 * int64(size) * n)
			for b.Loop() {
				c := s.WithoutGradient()
				c.Call("spikedhs::lif_backward", grad, nil, current, temperature, DefaultTau, DefaultThreshold, steps, nil)
				c.Close()
			}
		})
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSurrogates is the backward pass of each family beside Dspike's, on
// tensors that fit the caches.
func BenchmarkSurrogates(b *testing.B) {
	defer torch.Pin()()
	const steps = 6
	threads := torch.Threads()
	if err := torch.SetThreads(1); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = torch.SetThreads(threads) }()
	for _, f := range Families() {
		s := torch.NewInference()
		current := s.ChannelsLast(s.Randn(torch.CPU(), 6, 64, 32, 32))
		temperature := torch.FromSlice(s, []float32{3}, 1)
		grad := s.Clone(current)
		args := append([]any{grad, nil, current, temperature, DefaultTau, DefaultThreshold, steps, nil}, f.Arguments(s, current)...)
		b.Run(f.String(), func(b *testing.B) {
			b.SetBytes(3 * 4 * 6 * 64 * 32 * 32)
			for b.Loop() {
				c := s.WithoutGradient()
				c.Call("spikedhs::lif_backward", args...)
				c.Close()
			}
		})
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
