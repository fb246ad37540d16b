// Operators over many tensors that take a few launches for all of them, for
// devices where a launch costs more than the work of one tensor. They are made
// of libtorch's operators and run everywhere.
//
// The tensors lie one after the other in flat memory, each in the memory order
// that it has: so a tensor and its part of the flat one have one layout.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <vector>

namespace spikedhs {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

void check_list(const char *name, at::TensorList list) {
  TORCH_CHECK(list.size() > 0, name, ": the list is empty");
  for (const at::Tensor &t : list) {
    TORCH_CHECK(t.scalar_type() == list[0].scalar_type(), name, ": tensors of ",
                list[0].scalar_type(), " and of ", t.scalar_type());
  }
}

// The strides of a tensor like t; those of its dimensions' order where t has
// gaps or holds an element twice.
std::vector<int64_t> strides_like(const at::Tensor &t) {
  if (t.is_non_overlapping_and_dense()) return t.strides().vec();
  std::vector<int64_t> strides(t.dim());
  int64_t count = 1;
  for (int64_t i = t.dim() - 1; i >= 0; i--) {
    strides[i] = count;
    count *= t.size(i);
  }
  return strides;
}

// t with the strides of `like`: t itself, or a copy where its elements lie in
// another order. Strides of dimensions of size 1 place nothing.
at::Tensor in_layout(const at::Tensor &t, const at::Tensor &like) {
  const auto strides = strides_like(like);
  if (t.strides() == at::IntArrayRef(strides)) return t;
  bool same = true;
  for (int64_t i = 0; i < t.dim(); i++) {
    same = same && (t.size(i) == 1 || t.stride(i) == strides[i]);
  }
  if (same) return t.as_strided(t.sizes(), strides, t.storage_offset());
  return at::empty_strided(like.sizes(), strides, t.options()).copy_(t);
}

// The parts of a flat tensor as tensors with the shapes and layouts of `like`.
std::vector<at::Tensor> parts_of(const at::Tensor &flat, at::TensorList like) {
  std::vector<at::Tensor> parts;
  parts.reserve(like.size());
  int64_t start = flat.storage_offset();
  for (const at::Tensor &t : like) {
    parts.push_back(flat.as_strided(t.sizes(), strides_like(t), start));
    start += t.numel();
  }
  return parts;
}

// The elements of all tensors, each in the memory order of its match in `like`,
// in another element type.
at::Tensor joined(at::TensorList list, at::TensorList like,
                  at::ScalarType type) {
  std::vector<at::Tensor> flat;
  flat.reserve(list.size());
  for (size_t i = 0; i < list.size(); i++) {
    const at::Tensor t = in_layout(list[i], like[i]);
    flat.push_back(t.as_strided({t.numel()}, {1}, t.storage_offset()));
  }
  return at::cat(flat).to(type);
}

struct CastTogether : torch::autograd::Function<CastTogether> {
  static variable_list forward(AutogradContext *context, at::TensorList list,
                               int64_t type) {
    at::AutoDispatchBelowADInplaceOrView below;
    context->save_for_backward(list.vec());
    context->set_materialize_grads(false);
    return parts_of(joined(list, list, static_cast<at::ScalarType>(type)),
                    list);
  }

  static variable_list backward(AutogradContext *context,
                                const variable_list &gradients) {
    const variable_list list = context->get_saved_variables();
    variable_list present, like;
    for (size_t i = 0; i < list.size(); i++) {
      if (!gradients[i].defined()) continue;
      present.push_back(gradients[i]);
      like.push_back(list[i]);
    }
    variable_list result(list.size() + 1);  // the type has none
    if (present.empty()) return result;
    const auto parts =
        parts_of(joined(present, like, list[0].scalar_type()), like);
    for (size_t i = 0, next = 0; i < list.size(); i++) {
      if (gradients[i].defined()) result[i] = parts[next++];
    }
    return result;
  }
};

// The tensors in another element type, with a gradient.
std::vector<at::Tensor> cast_together(at::TensorList list, int64_t type) {
  check_list("cast_together", list);
  return CastTogether::apply(list, type);
}

// Zeros in flat memory, and its parts with the shapes and layouts of `like`.
std::tuple<at::Tensor, std::vector<at::Tensor>> zeros_together(
    at::TensorList like) {
  check_list("zeros_together", like);
  int64_t count = 0;
  for (const at::Tensor &t : like) count += t.numel();
  const at::Tensor flat = at::zeros({count}, like[0].options());
  return {flat, parts_of(flat, like)};
}

// Adds bias * share to each running mean. A batch normalisation has saved the
// mean for its gradient; in training that does not read it, so the change is
// none that autograd needs to know, as those of the normalisation itself.
void shift_means(at::TensorList means, at::TensorList biases, double share) {
  at::AutoDispatchBelowADInplaceOrView below;
  at::_foreach_add_(means, biases, share);
}

// Each tensor, or a copy of it in the layout of its match.
std::vector<at::Tensor> in_layout_of(at::TensorList list, at::TensorList like) {
  TORCH_CHECK(list.size() == like.size(), "in_layout_of: ", list.size(),
              " tensors like ", like.size());
  std::vector<at::Tensor> result;
  result.reserve(list.size());
  for (size_t i = 0; i < list.size(); i++) {
    result.push_back(in_layout(list[i], like[i]));
  }
  return result;
}

}  // namespace
}  // namespace spikedhs

TORCH_LIBRARY_FRAGMENT(spikedhs, m) {
  m.def("cast_together(Tensor[] list, int type) -> Tensor[]",
        &spikedhs::cast_together);
  m.def("in_layout_of(Tensor[] list, Tensor[] like) -> Tensor[]",
        &spikedhs::in_layout_of);
  m.def("shift_means(Tensor(a!)[] means, Tensor[] biases, float share) -> ()",
        &spikedhs::shift_means);
  m.def("zeros_together(Tensor[] like) -> (Tensor, Tensor[])",
        &spikedhs::zeros_together);
}
