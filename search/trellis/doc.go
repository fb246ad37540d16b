// Package trellis is the layer level of the search space (section 3.2.2, figure 1,
// after Auto-DeepLab): in which resolution each cell of a network works.
//
// A network of L cells is a path through a trellis of L layers and four levels;
// level s has 1/2^s of the resolution of level 0. It starts at level 0, and from
// one layer to the next it moves up (finer), stays, or moves down (coarser). In
// the search all paths exist at once: the output of level s after layer l is
//
//	h_s^l = P(s-1 -> s) Cell(h_{s-1}^{l-1}, h_s^{l-2})
//	      + P(s   -> s) Cell(h_s^{l-1},     h_s^{l-2})
//	      + P(s+1 -> s) Cell(h_{s+1}^{l-1}, h_s^{l-2})
//
// where P are the probabilities of the moves out of a place, the softmax of
// trainable numbers beta [L, 4, 3]. Level 0 has no move up and level 3 none down;
// their two probabilities sum to 2/3, so that at the start every move of the
// trellis weighs 1/3.
//
// A [Space] is what a search chooses from: L layers on the finest so many of the four
// levels; [Full] has all. Its coarsest level is the one without a move down.
//
// [Space.Decode] finds the path of the largest product of probabilities (Viterbi).
// [Run] evaluates the sum above for any kind of feature and cell.
package trellis
