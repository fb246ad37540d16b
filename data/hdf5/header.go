package hdf5

// Types of messages in object headers.
const (
	msgDataspace    = 0x01
	msgLinkInfo     = 0x02
	msgDatatype     = 0x03
	msgFill         = 0x05
	msgLink         = 0x06
	msgLayout       = 0x08
	msgFilters      = 0x0b
	msgContinuation = 0x10
	msgSymbolTable  = 0x11
)

// message is a part of an object header.
type message struct {
	kind int
	// shared tells that body only says where the message really is.
	shared bool
	body   []byte
}

const (
	maxMessages = 1 << 16
	maxBlocks   = 1 << 10
	maxHeader   = 64 << 20
)

// messages reads the object header at an address.
func (f *File) messages(address uint64) ([]message, error) {
	c, err := f.upTo(address, 16)
	if err != nil {
		return nil, err
	}
	if len(c.b) >= 4 && string(c.b[:4]) == "OHDR" {
		return f.messages2(address)
	}
	if version := c.u8(); version != 1 {
		return nil, malformed("object header version %d", version)
	}
	c.skip(1)
	c.skip(2) // number of messages: the blocks end by their size
	c.skip(4)
	size := c.u32()
	if c.err != nil {
		return nil, c.err
	}
	return f.collect(span{address + 16, uint64(size)}, func(c *cursor) (message, bool) {
		if len(c.b) < 8 {
			return message{}, false
		}
		kind, size, flags := c.u16(), c.u16(), c.u8()
		c.skip(3)
		return message{kind, flags&2 != 0, c.bytes(size)}, true
	}, false)
}

// messages2 reads an object header of version 2.
func (f *File) messages2(address uint64) ([]message, error) {
	const largest = 4 + 1 + 1 + 16 + 4 + 8
	c, err := f.upTo(address, largest)
	if err != nil {
		return nil, err
	}
	start := len(c.b)
	c.skip(4)
	if version := c.u8(); version != 2 {
		return nil, unsupported("object header version %d", version)
	}
	flags := c.u8()
	if flags&0x20 != 0 {
		c.skip(16)
	}
	if flags&0x10 != 0 {
		c.skip(4)
	}
	size := c.uint(1 << (flags & 3))
	if c.err != nil {
		return nil, c.err
	}
	head := 4
	if flags&4 != 0 {
		head = 6
	}
	return f.collect(span{address + uint64(start-len(c.b)), size}, func(c *cursor) (message, bool) {
		if len(c.b) < head {
			return message{}, false
		}
		kind, size, mflags := c.u8(), c.u16(), c.u8()
		c.skip(head - 4)
		return message{kind, mflags&2 != 0, c.bytes(size)}, true
	}, true)
}

type span struct{ address, size uint64 }

// collect reads the messages of a block and of those that continue it. Blocks of
// version 2 that continue another have a signature and a checksum around them.
func (f *File) collect(first span, next func(c *cursor) (message, bool), signed bool) ([]message, error) {
	var list []message
	blocks := []span{first}
	for i := 0; i < len(blocks); i++ {
		if i == maxBlocks || blocks[i].size > maxHeader {
			return nil, malformed("an object header without end")
		}
		c, err := f.block(blocks[i].address, int(blocks[i].size))
		if err != nil {
			return nil, err
		}
		if i > 0 && signed {
			c.signature("OCHK")
			if len(c.b) >= 4 {
				c.b = c.b[:len(c.b)-4]
			}
		}
		for c.err == nil {
			m, more := next(c)
			if !more || c.err != nil {
				break
			}
			if len(list) == maxMessages {
				return nil, malformed("an object header without end")
			}
			if m.kind == msgContinuation {
				to := &cursor{b: m.body, f: f}
				s := span{to.offset(), to.length()}
				if to.err != nil {
					return nil, to.err
				}
				blocks = append(blocks, s)
				continue
			}
			list = append(list, m)
		}
		if c.err != nil {
			return nil, c.err
		}
	}
	return list, nil
}
