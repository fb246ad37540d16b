package spike

import (
	"math"
	"testing"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRegisterSaysWhatIsWrong(t *testing.T) {
	constant := func(float64, float64) float64 { return 1 }
	for text, c := range map[string]struct {
		name string
		f    func(x, b float64) float64
	}{
		"lower-case letters":            {"Bell", constant},
		"no function":                   {"none", nil},
		"the name is taken":             {"bell", constant},
		"derivative(-32, 0.25) is NaN":  {"nan", func(x, b float64) float64 { return math.NaN() }},
		"derivative(-32, 0.25) is +Inf": {"inf", func(x, b float64) float64 { return math.Inf(1) }},
	} {
		_, err := Register(c.name, c.f)
		require.ErrorIs(t, err, ErrSurrogate)
		assert.ErrorContains(t, err, text)
		assert.NotContains(t, err.Error(), "\n")
	}
}

// Of a shape that b only scales one row is kept; else there is one a temperature.
func TestRegisterKeepsOneRowOfAShapeThatScales(t *testing.T) {
	assert.Equal(t, 1, registered(sigmoid).rows)
	assert.Len(t, registered(sigmoid).values, tableColumns)
	assert.Equal(t, tableRows, registered(gaussian).rows)
	assert.Len(t, registered(gaussian).values, tableRows*tableColumns)
}

// A table made of a built-in formula gives the built-in's gradients, at the
// temperatures of its rows and between them.
func TestATableOfABuiltInFamilyIsThatFamily(t *testing.T) {
	s := torch.NewInference()
	defer s.Close()
	u := s.Randn(torch.CPU(), 64, 50)
	for _, f := range []Surrogate{SuperSpike, ArcTan, Exponential, Triangular} {
		own := registerForTest("own-"+f.String(), f.Derivative)
		t.Cleanup(func() {
			registry.Lock()
			defer registry.Unlock()
			delete(registry.families, own)
		})
		for _, b := range []float64{0.3, 1, 1.7, 3, 6} {
			derivative := func(f Surrogate) []float64 {
				args := append([]any{u, s.Full(torch.CPU(), b), 0.5}, f.Arguments(s, u)...)
				return read(t, s.Tensor("spikedhs::surrogate", args...))
			}
			want := derivative(f)
			for i, x := range read(t, u) {
				if math.Abs(b*(x-0.5)) >= tableReach {
					want[i] = 0 // where the table ends
				}
			}
			requireClose(t, want, derivative(own), 1e-4, own.String())
		}
	}
}
