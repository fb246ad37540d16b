#include <fstream>
#include <iostream>
#include <torch/script.h>

int main(int argc, char** argv) {  // model.pt image.bin 1 28 28
  if (argc < 6) return 1;
  int64_t c = std::stol(argv[3]), h = std::stol(argv[4]), w = std::stol(argv[5]);
  std::ifstream file(argv[2], std::ios::binary);
  std::vector<float> pixels(c * h * w);
  file.read(reinterpret_cast<char*>(pixels.data()), pixels.size() * sizeof(float));
  torch::NoGradGuard guard;
  auto model = torch::jit::load(argv[1]);
  auto logits = model.forward({torch::from_blob(pixels.data(), {1, c, h, w})}).toTensor();
  std::cout << logits.argmax(1).item<int64_t>() << "\n";
}
