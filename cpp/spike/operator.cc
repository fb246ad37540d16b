// Boxed call of any operator that libtorch's dispatcher knows, our own
// included.
//
// One C function serves every operator: the schema says which types it wants,
// a flat array of words carries the arguments, so there is no list of operators
// here and nothing to change from one libtorch version to the next.
#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/core/jit_type.h>

#include <vector>

#include "accelerator.h"
#include "compat.h"
#include "guard.h"

namespace spikedhs {
namespace {

// Reads the flat encoding from left to right.
class Reader {
 public:
  Reader(const uint64_t *words, int64_t n) : word_(words), end_(words + n) {}
  bool done() const { return word_ == end_; }
  uint64_t next() {
    TORCH_CHECK(word_ < end_, "argument encoding ends too early");
    return *word_++;
  }
  int64_t next_int() { return static_cast<int64_t>(next()); }
  double next_double() {
    const uint64_t bits = next();
    double value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  int64_t next_count() {
    const int64_t n = next_int();
    TORCH_CHECK(n >= 0 && n <= end_ - word_, "list length ", n,
                " is longer than the encoding");
    return n;
  }
  std::string next_text() {
    const int64_t bytes = next_int();
    TORCH_CHECK(bytes >= 0 && (bytes + 7) / 8 <= end_ - word_,
                "string is longer than the encoding");
    std::string text(reinterpret_cast<const char *>(word_), bytes);
    word_ += (bytes + 7) / 8;
    return text;
  }
  at::Tensor next_tensor() {
    const uint64_t handle = next();
    if (handle == 0) return at::Tensor();
    return *reinterpret_cast<at::Tensor *>(handle);
  }
  uint64_t peek() const { return done() ? uint64_t{SD_NONE} : *word_; }

 private:
  const uint64_t *word_;
  const uint64_t *end_;
};

c10::TypePtr without_optional(c10::TypePtr type) {
  if (auto optional_type = type->cast<c10::OptionalType>()) {
    return optional_type->getElementType();
  }
  return type;
}

// The type of a list's elements, or NULL when `type` is no list.
c10::TypePtr element_type(const c10::TypePtr &type) {
  if (auto list = type->cast<c10::ListType>()) return list->getElementType();
  return nullptr;
}

c10::IValue read_tensor_list(Reader &in, const c10::TypePtr &element) {
  const int64_t n = in.next_count();
  if (element != nullptr && element->kind() == c10::TypeKind::OptionalType) {
    c10::List<optional<at::Tensor>> list;
    for (int64_t i = 0; i < n; i++) {
      at::Tensor t = in.next_tensor();
      if (t.defined()) {
        list.push_back(t);
      } else {
        list.push_back(optional<at::Tensor>());
      }
    }
    return list;
  }
  c10::List<at::Tensor> list;
  for (int64_t i = 0; i < n; i++) {
    at::Tensor t = in.next_tensor();
    // Some operators (cat) would leave an undefined tensor out silently.
    TORCH_CHECK(t.defined(), kEmptyHandle);
    list.push_back(std::move(t));
  }
  return list;
}

// One value, converted to what the schema asks for: an int where a float or a
// list is expected is widened, as Python does.
c10::IValue read_value(Reader &in, const c10::Argument &argument) {
  const c10::TypePtr type = without_optional(argument.type());
  const c10::TypePtr element = element_type(type);
  const uint64_t tag = in.next();
  switch (tag) {
    case SD_NONE:
      return c10::IValue();
    case SD_TENSOR:
      return in.next_tensor();
    case SD_INT: {
      const int64_t value = in.next_int();
      if (type->kind() == c10::TypeKind::FloatType) {
        return static_cast<double>(value);
      }
      if (element != nullptr) {
        const int64_t n = argument.N().has_value() ? *argument.N() : 1;
        return std::vector<int64_t>(n, value);
      }
      return value;
    }
    case SD_DOUBLE:
      return in.next_double();
    case SD_BOOL_VALUE:
      return in.next() != 0;
    case SD_INT_LIST: {
      const int64_t n = in.next_count();
      if (element != nullptr && element->kind() == c10::TypeKind::FloatType) {
        std::vector<double> values(n);
        for (auto &v : values) v = static_cast<double>(in.next_int());
        return values;
      }
      std::vector<int64_t> values(n);
      for (auto &v : values) v = in.next_int();
      return values;
    }
    case SD_DOUBLE_LIST: {
      std::vector<double> values(in.next_count());
      for (auto &v : values) v = in.next_double();
      return values;
    }
    case SD_BOOL_LIST: {
      const int64_t n = in.next_count();
      c10::List<bool> values;
      for (int64_t i = 0; i < n; i++) values.push_back(in.next() != 0);
      return values;
    }
    case SD_TENSOR_LIST:
      return read_tensor_list(in, element);
    case SD_STRING:
      return in.next_text();
    case SD_DEVICE: {
      const auto device = device_type_of(static_cast<int>(in.next_int()));
      return c10::Device(device, static_cast<c10::DeviceIndex>(in.next_int()));
    }
    default:
      TORCH_CHECK(false, "unknown argument tag ", tag);
  }
}

torch::jit::Stack read_arguments(const c10::FunctionSchema &schema,
                                 Reader &in) {
  const auto &arguments = schema.arguments();
  std::vector<c10::IValue> values(arguments.size());
  std::vector<bool> given(arguments.size(), false);
  size_t position = 0;
  while (!in.done()) {
    size_t index = position;
    if (in.peek() == SD_NAME) {
      in.next();
      const std::string name = in.next_text();
      const auto found = schema.argumentIndexWithName(name);
      TORCH_CHECK(found.has_value(), "no argument named ", name);
      index = static_cast<size_t>(*found);
    } else {
      position++;
    }
    TORCH_CHECK(index < arguments.size(), "takes ", arguments.size(),
                " arguments, got more");
    values[index] = read_value(in, arguments[index]);
    given[index] = true;
  }
  for (size_t i = 0; i < arguments.size(); i++) {
    if (given[i]) continue;
    TORCH_CHECK(arguments[i].default_value().has_value(), "argument ",
                arguments[i].name(), " is missing");
    values[i] = *arguments[i].default_value();
  }
  return values;
}

void write_value(const c10::IValue &value, std::vector<uint64_t> &out) {
  if (value.isNone()) {
    out.push_back(SD_NONE);
  } else if (value.isTensor()) {
    const at::Tensor &t = value.toTensor();
    out.push_back(SD_TENSOR);
    out.push_back(t.defined() ? reinterpret_cast<uint64_t>(wrap(t)) : 0);
  } else if (value.isTensorList()) {
    const auto list = value.toTensorVector();
    out.push_back(SD_TENSOR_LIST);
    out.push_back(list.size());
    for (const auto &t : list) {
      out.push_back(t.defined() ? reinterpret_cast<uint64_t>(wrap(t)) : 0);
    }
  } else if (value.isInt()) {
    out.push_back(SD_INT);
    out.push_back(static_cast<uint64_t>(value.toInt()));
  } else if (value.isBool()) {
    out.push_back(SD_BOOL_VALUE);
    out.push_back(value.toBool() ? 1 : 0);
  } else if (value.isDouble()) {
    const double number = value.toDouble();
    uint64_t bits;
    std::memcpy(&bits, &number, sizeof bits);
    out.push_back(SD_DOUBLE);
    out.push_back(bits);
  } else {
    TORCH_CHECK(false, "cannot return a ", value.tagKind(), " to Go");
  }
}

}  // namespace
}  // namespace spikedhs

char *sd_operator_find(const char *name, const char *overload,
                       sd_operator *out) {
  return spikedhs::guarded([&] {
    auto op = c10::Dispatcher::singleton().findSchema(
        c10::OperatorName(name, overload));
    TORCH_CHECK(op.has_value(), "libtorch ", TORCH_VERSION,
                " has no such operator");
    *out = new c10::OperatorHandle(*op);
  });
}

char *sd_operator_call(sd_operator op, const uint64_t *args, int64_t words,
                       int record_gradient, uint64_t **results,
                       int64_t *result_words) {
  return spikedhs::guarded([&] {
    const auto &handle = *static_cast<c10::OperatorHandle *>(op);
    spikedhs::Reader in(args, words);
    auto stack = spikedhs::read_arguments(handle.schema(), in);
    {
      c10::AutoGradMode mode(record_gradient != 0);
      handle.callBoxed(&stack);
    }
    std::vector<uint64_t> out;
    for (const auto &value : stack) spikedhs::write_value(value, out);
    *results = static_cast<uint64_t *>(
        std::malloc((out.empty() ? 1 : out.size()) * sizeof(uint64_t)));
    TORCH_CHECK(*results != nullptr, "out of memory");
    if (!out.empty()) {
      std::memcpy(*results, out.data(), out.size() * sizeof(uint64_t));
    }
    *result_words = static_cast<int64_t>(out.size());
  });
}
