// Work that threads take piece by piece.
//
// at::parallel_for gives each thread an equal part beforehand and then waits
// for the slowest. Cores are not equally fast for long: another program, a
// neighbour on the same physical core, or its clock slow one of them for a
// while. Here a thread that is done takes the next piece. Which thread does a
// piece must not change its result.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace spikedhs {

// The pieces [0, n) that are left.
class Pieces {
 public:
  explicit Pieces(int64_t n) : n_(n) {}
  // Takes the next piece; false when there is none.
  bool take(int64_t &piece) {
    piece = next_.fetch_add(1, std::memory_order_relaxed);
    return piece < n_;
  }

 private:
  const int64_t n_;
  std::atomic<int64_t> next_{0};
};

// Calls body(pieces) on every thread that there is work for; it takes pieces
// until none is left.
template <typename Body>
void share(int64_t n, Body body) {
  Pieces pieces(n);
  at::parallel_for(0, std::min<int64_t>(n, at::get_num_threads()), 1,
                   [&](int64_t, int64_t) { body(pieces); });
}

// body(piece) for [0, n).
template <typename Body>
void share_each(int64_t n, Body body) {
  share(n, [&](Pieces &pieces) {
    for (int64_t piece; pieces.take(piece);) body(piece);
  });
}

}  // namespace spikedhs
