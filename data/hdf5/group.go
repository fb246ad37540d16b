package hdf5

import (
	"bytes"
	"fmt"
)

// links are the names of a group and the object headers they lead to; undefined for
// soft and external links.
func (f *File) links(address uint64) (map[string]uint64, error) {
	list, err := f.messages(address)
	if err != nil {
		return nil, err
	}
	links := map[string]uint64{}
	group := false
	for _, m := range list {
		c := &cursor{b: m.body, f: f}
		switch m.kind {
		case msgSymbolTable:
			group = true
			tree, heap := c.offset(), c.offset()
			if c.err == nil {
				c.err = f.symbols(tree, heap, links)
			}
		case msgLink:
			group = true
			f.link(c, links)
		case msgLinkInfo:
			group = true
			c.skip(1)
			if c.u8()&1 != 0 {
				c.skip(8)
			}
			if heap := c.offset(); c.err == nil && heap != undefined {
				c.err = unsupported("a group with many links in the new style; repack the file with h5repack and h5py's libver='earliest'")
			}
		}
		if c.err != nil {
			return nil, c.err
		}
	}
	if !group {
		return nil, fmt.Errorf("it is no group: %w", ErrNotFound)
	}
	return links, nil
}

// link reads a link message.
func (f *File) link(c *cursor, links map[string]uint64) {
	if version := c.u8(); c.err == nil && version != 1 {
		c.err = unsupported("link version %d", version)
		return
	}
	flags, kind := c.u8(), 0
	if flags&8 != 0 {
		kind = c.u8()
	}
	if flags&4 != 0 {
		c.skip(8)
	}
	if flags&0x10 != 0 {
		c.skip(1)
	}
	size := c.uint(1 << (flags & 3))
	if size > uint64(len(c.b)) {
		size = uint64(len(c.b)) + 1 // bytes tells
	}
	name := string(c.bytes(int(size)))
	to := uint64(undefined)
	if kind == 0 {
		to = c.offset()
	}
	if c.err == nil {
		links[name] = to
	}
}

// symbols reads a group that is a B-tree of names in a heap.
func (f *File) symbols(tree, heap uint64, links map[string]uint64) error {
	c, err := f.block(heap, 8+2*f.lengthSize+f.offsetSize)
	if err != nil {
		return err
	}
	c.signature("HEAP")
	c.skip(4)
	size := c.length()
	c.skip(f.lengthSize)
	data := c.offset()
	if c.err != nil {
		return c.err
	}
	if size > uint64(f.size) {
		return malformed("a heap larger than the file")
	}
	names, err := f.block(data, int(size))
	if err != nil {
		return err
	}
	return f.walk(tree, treeGroup, f.lengthSize, func(_ *cursor, child uint64) error {
		return f.symbolNode(child, names.b, links)
	})
}

// symbolNode reads a leaf of a symbol table.
func (f *File) symbolNode(address uint64, names []byte, links map[string]uint64) error {
	c, err := f.block(address, 8)
	if err != nil {
		return err
	}
	c.signature("SNOD")
	c.skip(2)
	n := c.u16()
	if c.err != nil {
		return c.err
	}
	const scratch = 4 + 4 + 16
	if c, err = f.block(address+8, n*(2*f.offsetSize+scratch)); err != nil {
		return err
	}
	for range n {
		at, header := c.offset(), c.offset()
		cached := c.u32()
		c.skip(scratch - 4)
		if at >= uint64(len(names)) {
			return malformed("a name outside of its heap")
		}
		name, _, _ := bytes.Cut(names[at:], []byte{0})
		if cached == 2 { // a soft link
			header = undefined
		}
		links[string(name)] = header
	}
	return c.err
}
