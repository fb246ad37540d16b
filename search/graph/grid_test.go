package graph

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
)

// Both ways to pick planes against the formula, from every level to every other and for
// every depth up to that of 500 px, with gradients: of a plane, the sum over those that
// it was taken for. The numbers are whole, so that every sum is exact.
func TestPlanes(t *testing.T) {
	const size = 3
	forms := map[string]func(*torch.Scope, torch.Tensor, int, int) torch.Tensor{
		"pick": pickPlanes, "interpolate": interpolatePlanes,
	}
	for planes := 2; planes <= 167; planes++ {
		grids := Grids(planes, 60, 60)
		for from := range grids {
			for to := range grids {
				n, m := grids[from].Planes, grids[to].Planes
				if n == m {
					continue
				}
				in := make([]float64, 2*n*size)
				for i := range in {
					in[i] = float64(i + 1)
				}
				want, factors, gradient := make([]float64, 2*m*size), make([]float64, 2*m*size), make([]float64, len(in))
				for i := range want {
					image, plane, at := i/(m*size), i/size%m, i%size
					source := (image*n+plane*n/m)*size + at
					want[i], factors[i] = in[source], float64(i%17)
					gradient[source] += factors[i]
				}
				for name, form := range forms {
					s := torch.NewScope()
					x := s.Detach(s.Cast(torch.FromSlice(s, in, 2, int64(n), size), torch.Float32))
					require.NoError(t, torch.RequireGradient(x, true))
					y := form(s, x, n, m)
					weighted := s.Mul(y, s.Cast(torch.FromSlice(s, factors, 2, int64(m), size), torch.Float32))
					back := s.GradientOf(s.Sum(weighted), []torch.Tensor{x})
					what := fmt.Sprintf("%s of %d planes from level %d to %d", name, planes, from, to)
					require.NoError(t, s.Err(), what)
					require.Equal(t, want, read(t, y), what)
					require.Equal(t, gradient, read(t, back[0]), what)
					require.NoError(t, s.Close())
				}
			}
		}
	}
}

// The sizes of levels, of MVSEC's pictures and of smaller ones.
func TestGrids(t *testing.T) {
	assert.Equal(t, [Levels]Grid{{21, 88, 116}, {11, 44, 58}, {6, 22, 29}, {3, 11, 15}}, Grids(21, 260, 346))
	assert.Equal(t, [Levels]Grid{{21, 68, 94}, {11, 34, 47}, {6, 17, 24}, {3, 9, 12}}, Grids(21, 200, 280))
	assert.Equal(t, [Levels]Grid{{0, 32, 44}, {0, 16, 22}, {0, 8, 11}, {0, 4, 6}}, Grids(0, 96, 132))
	assert.Equal(t, 264, Padded(260))
	assert.Equal(t, 348, Padded(346))
	assert.Equal(t, 96, Padded(96))
}
