"""Loads an exported model on the CPU as any Python program would, and compares the
classes that it gives test images with those of `spikedhs infer`.

    load_model.py MODEL DATA ANSWERS

DATA is the folder of the data set, ANSWERS the JSON object of `spikedhs infer --json`
about the first test images.
"""
import json
import os
import sys

import torch


def images(folder, count):
    """The first test images [N, C, H, W] in 0..1."""
    for name, skip, shape in ("test_batch.bin", 0, (3, 32, 32)), ("t10k-images-idx3-ubyte", 16, (1, 28, 28)):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            break
    size = shape[0] * shape[1] * shape[2]
    label = 1 if shape[0] == 3 else 0
    with open(path, "rb") as f:
        f.seek(skip)
        flat = torch.frombuffer(bytearray(f.read(count * (size + label))), dtype=torch.uint8)
    return flat.reshape(count, size + label)[:, label:].reshape(count, *shape).float() / 255


def main():
    model_file, folder, answers = sys.argv[1:]
    with open(answers) as f:
        theirs = [image["guesses"][0]["index"] for image in json.load(f)["images"]]
    extra = {"spikedhs.json": ""}
    model = torch.jit.load(model_file, map_location="cpu", _extra_files=extra)
    with torch.no_grad():
        ours = model(images(folder, len(theirs))).argmax(1).tolist()
    same = sum(a == b for a, b in zip(ours, theirs))
    print(json.dumps({"torch": torch.__version__, "images": len(theirs), "same_class": same}))
    # A pair of classes that are as good as one another may come out either way.
    return 0 if same >= 0.95 * len(theirs) else 1


if __name__ == "__main__":
    sys.exit(main())
