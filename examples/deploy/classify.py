import sys

import numpy
import onnxruntime as ort

model, pixels, *shape = sys.argv[1:]  # model.onnx image.bin 1 28 28
images = numpy.fromfile(pixels, numpy.float32).reshape(-1, *map(int, shape))
session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
(logits,) = session.run(None, {"images": images})
print(*logits.argmax(1))
