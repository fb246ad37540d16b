package stereo

// mersenne is the generator MT19937 (Matsumoto and Nishimura 1998), seeded as CPython
// seeds it, since the published splits of MVSEC are CPython's random.seed(0) followed
// by random.shuffle.
type mersenne struct {
	state [624]uint32
	next  int
}

// newMersenne is random.seed(seed) for a seed below 2^32.
func newMersenne(seed uint32) *mersenne {
	m := &mersenne{}
	s := &m.state
	s[0] = 19650218
	for i := 1; i < len(s); i++ {
		s[i] = 1812433253*(s[i-1]^s[i-1]>>30) + uint32(i)
	}
	// init_by_array with the key [seed].
	i := 1
	step := func() {
		if i++; i == len(s) {
			s[0], i = s[len(s)-1], 1
		}
	}
	for range len(s) {
		s[i] = (s[i] ^ (s[i-1]^s[i-1]>>30)*1664525) + seed
		step()
	}
	for range len(s) - 1 {
		s[i] = (s[i] ^ (s[i-1]^s[i-1]>>30)*1566083941) - uint32(i)
		step()
	}
	s[0] = 1 << 31
	m.next = len(s)
	return m
}

func (m *mersenne) uint32() uint32 {
	const middle = 397
	s := &m.state
	if m.next == len(s) {
		for i := range s {
			y := s[i]&(1<<31) | s[(i+1)%len(s)]&(1<<31-1)
			s[i] = s[(i+middle)%len(s)] ^ y>>1 ^ (y&1)*0x9908b0df
		}
		m.next = 0
	}
	y := s[m.next]
	m.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// below is a number in 0..n-1 as random.shuffle draws it: the top bits of a draw,
// drawn again until they are below n.
func (m *mersenne) below(n int) int {
	bits := 0
	for n>>bits > 0 {
		bits++
	}
	for {
		if v := int(m.uint32() >> (32 - bits)); v < n {
			return v
		}
	}
}

// shuffle is random.shuffle.
func (m *mersenne) shuffle(list []int) {
	for i := len(list) - 1; i > 0; i-- {
		j := m.below(i + 1)
		list[i], list[j] = list[j], list[i]
	}
}
