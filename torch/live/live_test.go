package live

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

// recorder is a test whose end is told.
type recorder struct {
	testing.TB
	cleanups []func()
	errors   []string
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(format string, values ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, values...))
}

func (r *recorder) end() {
	for _, f := range r.cleanups {
		f()
	}
}

func TestSame(t *testing.T) {
	alive := int64(3)
	count := func() int64 { return alive }
	r := &recorder{}
	Same(r, count)
	r.end()
	assert.Empty(t, r.errors)

	r = &recorder{}
	Same(r, count)
	alive = 5
	r.end()
	assert.Equal(t, []string{"3 tensors alive before the test, 5 after it"}, r.errors)
}

// What is collected while it is counted was of an earlier test.
func TestLeftoversAreNotThisTests(t *testing.T) {
	asked := int64(0)
	falling := func() int64 { asked++; return max(9-3*(asked-1), 1) } // 9, 6, 3, 1, 1, ...
	r := &recorder{}
	Same(r, falling)
	r.end()
	assert.Empty(t, r.errors)
	assert.GreaterOrEqual(t, asked, int64(6))

	asked = 0
	settledAtOnce := func() int64 { asked++; return 0 }
	Same(&recorder{}, settledAtOnce)
	assert.Equal(t, int64(1), asked, "nothing is collected where nothing is alive")
}
