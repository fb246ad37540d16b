package search

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/export"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
)

// named finds a program's constants.
func named(p *graph.Program) func(*torch.Scope, string) torch.Tensor {
	return func(s *torch.Scope, name string) torch.Tensor {
		for _, t := range p.Constants() {
			if t.Name == name {
				return s.Clone(t.Value)
			}
		}
		return s.Tensor("aten::no_such_tensor")
	}
}

// A program that went through its description is the same program.
func TestProgramFromItsDescription(t *testing.T) {
	for i, v := range variants(t) {
		t.Run(v.String(), func(t *testing.T) {
			s := begin(t, uint64(350+i))
			p := v.program(t, v.trained(t, s))
			text, err := p.Description()
			require.NoError(t, err)
			q, err := graph.Load(text, named(p))
			require.NoError(t, err)
			defer q.Close()
			assert.Equal(t, export.Source(p), export.Source(q))
			x := v.images(s, 3)
			assert.Equal(t, read(t, p.Run(s, x)), read(t, q.Run(s, x)))
			assert.Equal(t, read(t, p.RunFast(s, x)), read(t, q.RunFast(s, x)))
			require.NoError(t, s.Err())
		})
	}
}

func TestDescriptionsThatAreNoProgram(t *testing.T) {
	s := begin(t, 390)
	v := variants(t)[0]
	p := v.program(t, v.trained(t, s))
	good, err := p.Description()
	require.NoError(t, err)
	for message, bad := range map[string]string{
		"invalid character":                     "x" + good,
		"format 7":                              strings.Replace(good, `"format": 1`, `"format": 7`, 1),
		"0 steps":                               strings.Replace(good, `"steps": 3`, `"steps": 0`, 1),
		`instruction 2, "swim": not known`:      strings.Replace(good, `"op": "repeat"`, `"op": "swim"`, 1),
		`"prepare": reads 1 values`:             strings.Replace(good, `"mean",`, ``, 1),
		"no_such_tensor":                        strings.Replace(good, `"stem_weight"`, `"stem_wait"`, 1),
		`instruction 0, "prepare": reads value`: strings.Replace(good, "-1\n", "5\n", 1),
	} {
		require.NotEqual(t, good, bad, message)
		_, err := graph.Load(bad, named(p))
		assert.ErrorIs(t, err, graph.ErrDescription)
		assert.ErrorContains(t, err, message)
	}
}

// Convolutions in bfloat16: nearly all first guesses are those of float32, and
// the logits are another network's by no more than some spikes.
func TestHalfPrecisionIsClose(t *testing.T) {
	same, images := 0, 0
	for i, v := range variants(t) {
		if v.options.Head == HeadLIF {
			continue // a spike of the head is a third of a logit
		}
		s := begin(t, uint64(400+i))
		p := v.program(t, v.trained(t, s))
		x := v.images(s, 8)
		want, have := read(t, p.RunFast(s, x)), read(t, p.Runner(torch.BFloat16)(s, x))
		require.NoError(t, s.Err())
		assert.NotEqual(t, want, have, "it is another precision")
		a, b := classesOf(want, 3), classesOf(have, 3)
		for k := range a {
			images++
			if a[k] == b[k] {
				same++
			}
		}
	}
	assert.GreaterOrEqual(t, float64(same), 0.85*float64(images), "of %d", images)
}
