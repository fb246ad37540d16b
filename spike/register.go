package spike

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"sync"

	"github.com/spikedhs/spikedhs/torch"
)

// The grid of a registered family, as in cpp/spike/surrogate.h: columns are
// z = b x, rows are temperatures in equal ratios.
const (
	tableReach   = 8.0
	tableLowest  = 0.25
	tableOctaves = 6 // to the highest temperature, 16
	perOctave    = 64
	tableColumns = 2049
	tableRows    = tableOctaves*perOctave + 1
)

// Prefix starts the name of every registered family, so that a name in a
// configuration shows that a program has to bring it.
const Prefix = "go:"

// family is a registered derivative.
type family struct {
	name       Surrogate
	derivative func(x, b float64) float64
	values     []float32 // [rows, tableColumns]
	rows       int
	tables     map[string]torch.Tensor // by device
}

var registry = struct {
	sync.Mutex
	families map[Surrogate]*family
	// scope owns the tables for as long as the program runs.
	scope *torch.Scope
}{families: map[Surrogate]*family{}}

var familyName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// Register makes a Go function a family of surrogates, named [Prefix] + name; a
// name is lower-case letters, digits and dashes. derivative is dy/du at
// x = u - Vth for the temperature b. It is called here alone, to fill a table that
// the operators read, on every device.
//
// The table holds h(z, b) = derivative(z/b, b) / b over |z| < 8 in steps of 1/128
// and over b from 1/4 to 16 in steps of 1.1 %; an operator takes
//
//	dy/du = b h(b (u - Vth), b)
//
// linear between neighbours, and exactly 0 where |b (u - Vth)| >= 8. So the
// temperature is the second argument of the function, as for the families built
// in, and the range that the table covers shrinks with it. Of a function of the
// form b g(b x) all rows are the same and only one is kept: b is then exact for
// any value. Outside of 1/4 to 16 the nearest row counts, and b goes on to scale
// it. A jump becomes a ramp over 1/128 of z.
//
// Names cannot be taken twice, and values must be finite.
func Register(name string, derivative func(x, b float64) float64) (Surrogate, error) {
	full := Surrogate(Prefix + name)
	refuse := func(why string) (Surrogate, error) {
		return "", fmt.Errorf("spike: register surrogate %q: %s: %w", name, why, ErrSurrogate)
	}
	switch {
	case !familyName.MatchString(name):
		return refuse("a name is lower-case letters, digits and dashes")
	case derivative == nil:
		return refuse("no function")
	}
	f := &family{name: full, derivative: derivative, tables: map[string]torch.Tensor{}}
	if err := f.fill(); err != nil {
		return "", err
	}
	registry.Lock()
	defer registry.Unlock()
	if registry.families[full] != nil {
		return refuse("the name is taken")
	}
	if _, err := f.place(torch.CPU()); err != nil {
		return "", err
	}
	registry.families[full] = f
	return full, nil
}

// fill computes the table.
func (f *family) fill() error {
	f.values, f.rows = make([]float32, 0, tableRows*tableColumns), tableRows
	first := make([]float64, 0, tableColumns)
	alike := true
	for r := range tableRows {
		b := tableLowest * math.Exp2(float64(r)/perOctave)
		for c := range tableColumns {
			z := -tableReach + 2*tableReach*float64(c)/(tableColumns-1)
			h := f.derivative(z/b, b) / b
			if math.IsNaN(h) || math.Abs(h) > math.MaxFloat32 {
				return fmt.Errorf("spike: register surrogate %q: derivative(%g, %g) is %g: %w", f.name, z/b, b, h*b, ErrSurrogate)
			}
			if r == 0 {
				first = append(first, h)
			}
			alike = alike && math.Abs(h-first[c]) <= 1e-9*(1+math.Abs(h))
			f.values = append(f.values, float32(h))
		}
	}
	if alike {
		f.values, f.rows = f.values[:tableColumns:tableColumns], 1
	}
	return nil
}

// on is the table on a device; it is copied there once.
func (f *family) on(d torch.Device) (torch.Tensor, error) {
	registry.Lock()
	defer registry.Unlock()
	return f.place(d)
}

func (f *family) place(d torch.Device) (torch.Tensor, error) {
	name := torch.DeviceName(d)
	if t, ok := f.tables[name]; ok {
		return t, nil
	}
	// A scope that failed once stays so, hence one for each attempt.
	s := torch.NewInference()
	t := s.To(torch.FromSlice(s, f.values, int64(f.rows), tableColumns), d)
	if err := s.Err(); err != nil {
		_ = s.Close()
		return torch.Tensor{}, fmt.Errorf("spike: table of surrogate %q: %w", f.name, err)
	}
	if registry.scope == nil {
		registry.scope = torch.NewInference()
	}
	t = registry.scope.Detach(t)
	if err := s.Close(); err != nil {
		return torch.Tensor{}, err
	}
	f.tables[name] = t
	return t, registry.scope.Err()
}

func registered(name Surrogate) *family {
	registry.Lock()
	defer registry.Unlock()
	return registry.families[name]
}

// registeredNames are sorted.
func registeredNames() []Surrogate {
	registry.Lock()
	defer registry.Unlock()
	return slices.Sorted(maps.Keys(registry.families))
}
