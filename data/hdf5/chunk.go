package hdf5

import (
	"cmp"
	"slices"
	"sort"
)

// chunk is one block of a chunked array.
type chunk struct {
	offset  []int // of its first element
	address uint64
	size    int    // bytes in the file
	mask    uint32 // filters that were left out
}

// decoded is a chunk that was read lately.
type decoded struct {
	address uint64
	data    []byte
}

// keep is how many chunks stay in memory for the next read, which is mostly that of
// the rows behind.
const keep = 4

// index reads the list of chunks, in the order of their offsets.
func (d *Dataset) index() ([]chunk, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.chunks != nil {
		return d.chunks, nil
	}
	list := []chunk{}
	rank := len(d.shape)
	switch {
	case d.layout.single != nil:
		one := *d.layout.single
		if len(d.filters) == 0 {
			one.size = d.chunkBytes()
		}
		if one.address != undefined {
			list = append(list, one)
		}
	case d.layout.address != undefined:
		err := d.file.walk(d.layout.address, treeChunk, 8+8*(rank+1), func(key *cursor, child uint64) error {
			c := chunk{size: key.u32(), mask: uint32(key.u32()), address: child, offset: make([]int, rank)}
			for i := range c.offset {
				v := key.uint(8)
				if v > 1<<48 || int(v)%d.layout.chunk[i] != 0 {
					return malformed("a chunk at element %d", v)
				}
				c.offset[i] = int(v)
			}
			if key.err != nil {
				return key.err
			}
			list = append(list, c)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b chunk) int { return slices.CompareFunc(a.offset, b.offset, cmp.Compare[int]) })
	d.chunks = list
	return list, nil
}

func (d *Dataset) chunkBytes() int {
	n := d.typ.Size
	for _, k := range d.layout.chunk {
		n *= k
	}
	return n
}

// readChunks copies rows first..first+n-1 to out, which holds fill values.
func (d *Dataset) readChunks(out []byte, first, n int) error {
	list, err := d.index()
	if err != nil {
		return err
	}
	if len(d.shape) == 0 {
		return malformed("a chunked array without axes")
	}
	// The chunks that begin before first+n and end after first are neighbours.
	rows := d.layout.chunk[0]
	from := sort.Search(len(list), func(i int) bool { return list[i].offset[0]+rows > first })
	for _, c := range list[from:] {
		if c.offset[0] >= first+n {
			break
		}
		data, err := d.decode(c)
		if err != nil {
			return err
		}
		d.copyChunk(out, first, n, c.offset, data)
	}
	return nil
}

// decode reads a chunk and undoes its filters.
func (d *Dataset) decode(c chunk) ([]byte, error) {
	d.mu.Lock()
	for _, r := range d.recent {
		if r.address == c.address {
			d.mu.Unlock()
			return r.data, nil
		}
	}
	d.mu.Unlock()
	raw, err := d.file.block(c.address, c.size)
	if err != nil {
		return nil, err
	}
	data, err := undo(d.filters, c.mask, raw.b, d.chunkBytes())
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.recent) >= keep {
		d.recent = slices.Delete(d.recent, 0, 1)
	}
	d.recent = append(d.recent, decoded{c.address, data})
	return data, nil
}

// copyChunk copies what a chunk has of rows first..first+n-1: for each line along the
// last axis one piece.
func (d *Dataset) copyChunk(out []byte, first, n int, offset []int, data []byte) {
	rank, size := len(d.shape), d.typ.Size
	// The part of the array that the chunk covers, cut by its shape and the rows.
	low, high := slices.Clone(offset), make([]int, rank)
	for i := range high {
		high[i] = min(offset[i]+d.layout.chunk[i], d.shape[i])
	}
	low[0], high[0] = max(low[0], first), min(high[0], first+n)
	for i := range high {
		if low[i] >= high[i] {
			return
		}
	}
	at := slices.Clone(low)
	line := (high[rank-1] - low[rank-1]) * size
	for {
		src, dst := 0, 0
		for i := range at {
			src = src*d.layout.chunk[i] + at[i] - offset[i]
			row := at[i]
			if i == 0 {
				row -= first
				dst = row
				continue
			}
			dst = dst*d.shape[i] + row
		}
		copy(out[dst*size:][:line], data[src*size:])
		axis := rank - 2 // the last axis is copied at once
		for ; axis >= 0; axis-- {
			if at[axis]++; at[axis] < high[axis] {
				break
			}
			at[axis] = low[axis]
		}
		if axis < 0 {
			return
		}
	}
}

// Kinds of B-trees of version 1.
const (
	treeGroup = 0
	treeChunk = 1
)

// walk visits the children of the leaves of a B-tree of version 1, in order, with the
// key before each.
func (f *File) walk(root uint64, kind, keySize int, visit func(key *cursor, child uint64) error) error {
	// No file has more nodes than fit into it; a cycle ends there.
	left := f.size/int64(8+2*f.offsetSize) + 1
	var descend func(address uint64, level int) error
	descend = func(address uint64, level int) error {
		if left--; left < 0 {
			return malformed("a B-tree without end")
		}
		head := 8 + 2*f.offsetSize
		c, err := f.block(address, head)
		if err != nil {
			return err
		}
		c.signature("TREE")
		gotKind, gotLevel, n := c.u8(), c.u8(), c.u16()
		if c.err != nil {
			return c.err
		}
		if gotKind != kind || level >= 0 && gotLevel != level {
			return malformed("a B-tree node of kind %d, level %d where kind %d, level %d should be", gotKind, gotLevel, kind, level)
		}
		if c, err = f.block(address+uint64(head), n*(keySize+f.offsetSize)); err != nil {
			return err
		}
		for range n {
			key := &cursor{b: c.bytes(keySize), f: f}
			child := c.offset()
			if c.err != nil {
				return c.err
			}
			if gotLevel > 0 {
				err = descend(child, gotLevel-1)
			} else {
				err = visit(key, child)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	return descend(root, -1)
}
