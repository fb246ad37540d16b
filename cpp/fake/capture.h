// A recording of work on the fake device; see fake::perform.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "fake.h"

namespace spikedhs::fake {

// A graph as CUDA records it: what is done while it is recorded changes
// nothing, and each replay does it once on the same memory.
//
// On the CPU work can only be recorded by doing it, because shapes of results
// must be known. So memory that was there before is saved when it is first
// written to and put back at the end; memory that was made meanwhile is the
// graph's for as long as it lives.
struct Graph {
  int device = 0;
  c10::StreamId stream = 0;
  std::vector<std::function<void()>> work;
  std::string refused;  // why this recording failed; empty: it did not

  struct Made {
    std::shared_ptr<void> owner;
    char *data;
    size_t bytes;
  };
  std::vector<Made> made;
  std::unordered_map<char *, std::string> before;  // by first byte of a storage
};

std::unique_ptr<Graph> begin_capture(int device);
void end_capture(Graph *graph);  // throws where something was refused
void abandon_capture(Graph *graph);
void replay(const Graph &graph);

}  // namespace spikedhs::fake
