package ordered

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var errClosed = errors.New("closed")

// squares are the numbers 3 to 40, each with the sum of its square over its parts.
func squares(workers, ahead, parts int, dropped *atomic.Int32) Work[*[2]int64] {
	return Work[*[2]int64]{
		First: 3, End: 41, Workers: workers, Ahead: ahead, Parts: parts, Closed: errClosed,
		Begin: func(n int) *[2]int64 { return &[2]int64{int64(n)} },
		Worker: func(context.Context) func(*[2]int64, int, int) error {
			return func(v *[2]int64, n, part int) error {
				time.Sleep(time.Duration(n%3) * time.Millisecond) // later ones are ready earlier
				atomic.AddInt64(&v[1], int64(n*n/parts))
				return nil
			}
		},
		Drop: func(*[2]int64) { dropped.Add(1) },
	}
}

func TestInOrder(t *testing.T) {
	for _, c := range [][3]int{{1, 1, 1}, {4, 3, 1}, {3, 9, 2}, {8, 50, 1}} {
		var dropped atomic.Int32
		v := Start(context.Background(), squares(c[0], c[1], c[2], &dropped))
		for n := int64(3); n < 41; n++ {
			have, err := v.Next()
			require.NoError(t, err)
			require.Equal(t, n, have[0], c)
			require.InDelta(t, n*n, have[1], 1)
		}
		for range 2 {
			_, err := v.Next()
			require.Equal(t, io.EOF, err)
		}
		v.Close()
		assert.Zero(t, dropped.Load(), "all were handed out")
	}
}

func TestEnds(t *testing.T) {
	var dropped atomic.Int32
	v := Start(context.Background(), squares(2, 5, 1, &dropped))
	_, err := v.Next()
	require.NoError(t, err)
	v.Close()
	v.Close()
	_, err = v.Next()
	assert.Equal(t, errClosed, err)
	assert.LessOrEqual(t, dropped.Load(), int32(5), "what nobody asked for")

	ctx, cancel := context.WithCancel(context.Background())
	v = Start(ctx, squares(2, 5, 1, &dropped))
	cancel()
	_, err = v.Next()
	assert.Equal(t, context.Canceled, err)
	v.Close()

	broken := errors.New("broken")
	_, err = Failed[int](broken).Next()
	assert.Equal(t, broken, err)
}

// The error of the first part counts, whoever came first, and what failed is dropped.
func TestErrors(t *testing.T) {
	first, second := errors.New("part 0"), errors.New("part 1")
	var dropped atomic.Int32
	v := Start(context.Background(), Work[*int]{
		End: 9, Workers: 2, Ahead: 2, Parts: 2, Closed: errClosed, Begin: func(n int) *int { return &n },
		Worker: func(context.Context) func(*int, int, int) error {
			return func(_ *int, n, part int) error {
				switch {
				case n == 1 && part == 0:
					time.Sleep(5 * time.Millisecond)
					return first
				case n == 1:
					return second
				}
				return nil
			}
		},
		Drop: func(n *int) { dropped.Add(1) },
	})
	_, err := v.Next()
	require.NoError(t, err)
	for range 2 {
		_, err = v.Next()
		assert.Equal(t, first, err)
	}
	v.Close()
	assert.Positive(t, dropped.Load())
}

func TestEach(t *testing.T) {
	var sum atomic.Int64
	rooms, told := atomic.Int32{}, 0
	count := func(fail func(i int) error) error {
		return Each(context.Background(), 50, 3, func(context.Context) func(int) error {
			rooms.Add(1)
			return func(i int) error { sum.Add(int64(i)); return fail(i) }
		}, func() { told++ })
	}
	require.NoError(t, count(func(int) error { return nil }))
	assert.Equal(t, int64(49*50/2), sum.Load())
	assert.Equal(t, 50, told)
	assert.LessOrEqual(t, rooms.Load(), int32(3))

	broken := errors.New("broken")
	told = 0
	assert.Equal(t, broken, count(func(i int) error {
		if i == 7 {
			return broken
		}
		return nil
	}))
	assert.Equal(t, 7, told, "those before it")

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	assert.Equal(t, context.Canceled, Each(ctx, 9, 0, func(context.Context) func(int) error {
		return func(int) error { return nil }
	}, nil))
	assert.NoError(t, Each(context.Background(), 0, 0, nil, nil))
}
