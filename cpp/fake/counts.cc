// What the fake device counts, for the whole process and for each named range
// (torch.Annotate), such as a training step.
#include <ATen/record_function.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <vector>

#include "fake.h"

namespace spikedhs::fake {
namespace {

struct Operator {
  int64_t calls = 0, launches = 0;
};

struct Counts {
  int64_t launches = 0;
  int64_t uploads = 0, blocking_uploads = 0;  // host to device
  int64_t reads = 0, blocking_reads = 0;      // device to host
  int64_t replays = 0;
  std::map<std::string, Operator> operators;
  std::set<std::string> slow_foreach;
};

// A range: how often it was run, the sums of what must not happen in it, and
// the last run whole.
struct Range {
  int64_t runs = 0, launches = 0, most = 0;
  int64_t blocking_uploads = 0, blocking_reads = 0;
  Counts last;
};

std::mutex mutex;
Counts all;
std::map<std::string, Range> ranges;
std::vector<std::pair<std::string, Counts>> open;  // ranges, the inmost last

template <typename Change>
void change(Change what) {
  const std::lock_guard<std::mutex> lock(mutex);
  what(all);
  for (auto &range : open) what(range.second);
}

void write(std::ostream &out, const Counts &c) {
  out << "\"launches\":" << c.launches << ",\"uploads\":" << c.uploads
      << ",\"blocking_uploads\":" << c.blocking_uploads
      << ",\"reads\":" << c.reads << ",\"blocking_reads\":" << c.blocking_reads
      << ",\"replays\":" << c.replays << ",\"slow_foreach\":[";
  const char *comma = "";
  for (const auto &name : c.slow_foreach) {
    out << comma << '"' << name << '"';
    comma = ",";
  }
  out << "],\"operators\":{";
  comma = "";
  for (const auto &[name, counted] : c.operators) {
    out << comma << '"' << name << "\":{\"calls\":" << counted.calls
        << ",\"launches\":" << counted.launches << '}';
    comma = ",";
  }
  out << '}';
}

// torch.Annotate is a range of libtorch's profiler.
std::unique_ptr<at::ObserverContext> range_begins(const at::RecordFunction &f) {
  begin_range(f.name());
  return nullptr;
}
void range_ends(const at::RecordFunction &, at::ObserverContext *) {
  end_range();
}
const auto callback =
    at::addGlobalCallback(at::RecordFunctionCallback(&range_begins, &range_ends)
                              .scopes({at::RecordScope::USER_SCOPE}));

}  // namespace

void count_operator(const std::string &name, int64_t launches) {
  change([&](Counts &c) {
    Operator &o = c.operators[name];
    o.calls++;
    o.launches += launches;
    c.launches += launches;
  });
}

void count_upload(bool blocking) {
  change([&](Counts &c) { (blocking ? c.blocking_uploads : c.uploads)++; });
}

void count_read(bool blocking) {
  change([&](Counts &c) { (blocking ? c.blocking_reads : c.reads)++; });
}

void count_slow_foreach(const std::string &name) {
  change([&](Counts &c) { c.slow_foreach.insert(name); });
}

void count_replay() {
  change([](Counts &c) { c.replays++; });
}

void begin_range(const std::string &name) {
  const std::lock_guard<std::mutex> lock(mutex);
  open.emplace_back(name, Counts());
}

void end_range() {
  const std::lock_guard<std::mutex> lock(mutex);
  if (open.empty()) return;
  auto [name, counts] = std::move(open.back());
  open.pop_back();
  Range &range = ranges[name];
  range.runs++;
  range.launches += counts.launches;
  range.most = std::max(range.most, counts.launches);
  range.blocking_uploads += counts.blocking_uploads;
  range.blocking_reads += counts.blocking_reads;
  range.last = std::move(counts);
}

std::string report() {
  const std::lock_guard<std::mutex> lock(mutex);
  std::ostringstream out;
  out << '{';
  write(out, all);
  out << ",\"ranges\":{";
  const char *comma = "";
  for (const auto &[name, range] : ranges) {
    out << comma << '"' << name << "\":{\"runs\":" << range.runs
        << ",\"launches\":" << range.launches << ",\"most\":" << range.most
        << ",\"blocking_uploads\":" << range.blocking_uploads
        << ",\"blocking_reads\":" << range.blocking_reads << ",\"last\":{";
    write(out, range.last);
    out << "}}";
    comma = ",";
  }
  out << "}}";
  return out.str();
}

void reset_counts() {
  const std::lock_guard<std::mutex> lock(mutex);
  all = Counts();
  ranges.clear();
}

}  // namespace spikedhs::fake
