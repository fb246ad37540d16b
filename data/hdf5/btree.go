package hdf5

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
