// The structure of a cell; see cell.h.
#include <algorithm>

#include "cell.h"

namespace spikedhs {

int64_t fan_buffers(const CellPlan &plan) { return plan.spiking ? 3 : 2; }

CellPlan::CellPlan(at::IntArrayRef code) {
  size_t at = 0;
  const auto next = [&] {
    TORCH_CHECK(at < code.size(), "cell: the plan ends too early");
    return code[at++];
  };
  nodes = next();
  width = next();
  steps = next();
  spiking = next() != 0;
  per_step = next() != 0;
  planes = next();
  TORCH_CHECK(nodes > 0 && width > 0 && steps > 0,
              "cell: nodes, width and steps must be positive");
  TORCH_CHECK(planes >= 0, "cell: planes must not be negative");
  fans.resize(next());
  for (auto &fan : fans) {
    fan.source = next();
    fan.stride = next();
    fan.readers.resize(next());
    for (auto &reader : fan.readers) {
      reader.node = next();
      reader.weight = next();
    }
  }
  skips.resize(next());
  for (auto &skip : skips) {
    skip.source = next();
    skip.node = next();
    skip.weight = next();
    TORCH_CHECK(skip.source >= 2 && skip.source - 2 < skip.node,
                "cell: a skip leads from node ", skip.source - 2, " to node ",
                skip.node);
  }
}

int64_t CellPlan::fan_of(int64_t source) const {
  for (size_t f = 0; f < fans.size(); f++) {
    if (fans[f].source == source) return static_cast<int64_t>(f);
  }
  return -1;
}

bool CellPlan::is_read(int64_t source) const {
  if (fan_of(source) >= 0) return true;
  return std::any_of(skips.begin(), skips.end(), [&](const CellSkip &skip) {
    return skip.source == source;
  });
}

std::pair<size_t, size_t> CellFan::readers_of(int64_t node) const {
  size_t first = 0;
  while (first < readers.size() && readers[first].node != node) first++;
  size_t last = first;
  while (last < readers.size() && readers[last].node == node) last++;
  return {first, last};
}

}  // namespace spikedhs
