package torch

// #include <stdlib.h>
// #include "spikedhs/spikedhs.h"
import "C"

// Annotate names the work until end is called, on the same OS thread: profiles
// ([StartProfile], and those of other tools that listen to libtorch) show it as a
// range of that name. Ranges may lie in each other. It costs nothing to speak of
// while nobody listens.
//
//	defer torch.Annotate("step")()
func Annotate(name string) (end func()) {
	unpin := Pin()
	cString(name, func(c *C.char) { C.sd_range_begin(c) })
	return func() {
		C.sd_range_end()
		unpin()
	}
}
