package spike

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spikedhs/spikedhs/torch"
)

// Surrogate names a family of surrogate gradients: what the backward pass takes
// for the derivative dy/du of a spike. The forward pass does not depend on it.
//
// Every family is centred on the threshold, x = u - Vth, and has one parameter b,
// its temperature, that differentiable surrogate gradient search moves: larger is
// steeper in every family, and b is the inverse of a width where the source has
// one. All but [SuperSpike] keep the area 1 of a step from 0 to 1, so their height
// grows with b.
//
// The zero value is Dspike, like [DefaultSurrogate].
type Surrogate string

const (
	// DefaultSurrogate is Dspike (Li et al. 2021, as used in section 3.1):
	// (b/2) (1 - tanh²(b x)) / tanh(b/2) for |x| < 1/2, else exactly 0. Its soft step is
	// tanh(b x) / (2 tanh(b/2)) + 1/2 between 0 and 1.
	DefaultSurrogate Surrogate = "dspike"
	// Triangular is b max(0, 1 - b|x|): Deng et al. 2022 with gamma = 1/b; the shape
	// is that of Esser et al. 2016 and Bellec et al. 2018.
	Triangular Surrogate = "triangular"
	// SuperSpike is 1 / (1 + b|x|)² (Zenke and Ganguli 2018): height 1, area 2/b.
	SuperSpike Surrogate = "superspike"
	// ArcTan is b / (2 (1 + (pi/2 b x)²)) (Fang et al. 2021, their alpha).
	ArcTan Surrogate = "arctan"
	// Rectangular is b for |x| < 1/(2b), else 0: Wu et al. 2018 with the width
	// a = 1/b.
	Rectangular Surrogate = "rectangular"
	// Exponential is (b/2) exp(-b|x|): SLAYER (Shrestha and Orchard 2018) with their
	// factor chosen for area 1.
	Exponential Surrogate = "exponential"
)

// builtIn are the families in the order of their numbers in cpp/spike/surrogate.h,
// where the next one is that of tables.
var builtIn = []Surrogate{DefaultSurrogate, Triangular, SuperSpike, ArcTan, Rectangular, Exponential}

// ErrSurrogate is the cause of an error about a family that there is not, or that
// cannot be registered.
var ErrSurrogate = errors.New("no such surrogate")

// Families lists every family: those built in, then those registered, by name.
func Families() []Surrogate { return append(slices.Clone(builtIn), registeredNames()...) }

// ParseSurrogate finds a family by its name; no name is Dspike.
func ParseSurrogate(name string) (Surrogate, error) {
	if name == "" {
		return DefaultSurrogate, nil
	}
	families := Families()
	if slices.Contains(families, Surrogate(name)) {
		return Surrogate(name), nil
	}
	list := strings.Trim(fmt.Sprintf("%s", families), "[]")
	return "", fmt.Errorf("spike: surrogate %q: want %s: %w", name, strings.ReplaceAll(list, " ", ", "), ErrSurrogate)
}

// String is the family's name.
func (f Surrogate) String() string {
	if f == "" {
		return string(DefaultSurrogate)
	}
	return string(f)
}

// Arguments are the trailing arguments of spikedhs::lif, lif_composed and cell
// that choose the family; `on` is a tensor on the device where they run. An
// unknown family fails the scope.
func (f Surrogate) Arguments(s *torch.Scope, on torch.Tensor) []any {
	if f == "" || f == DefaultSurrogate {
		return nil
	}
	if i := slices.Index(builtIn, f); i >= 0 {
		return []any{torch.Named{Name: "surrogate", Value: i}}
	}
	r := registered(f)
	if r == nil {
		_, err := ParseSurrogate(string(f))
		s.Fail(err)
		return nil
	}
	device := s.Device(on)
	if s.Err() != nil {
		return nil
	}
	table, err := r.on(device)
	s.Fail(err)
	return []any{
		torch.Named{Name: "surrogate", Value: len(builtIn)},
		torch.Named{Name: "table", Value: table},
	}
}
