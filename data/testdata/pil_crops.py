"""Crops by Pillow, for TestCropsEqualPillow.

Reads lines "file left top right bottom whole size" from standard input: the edges
of a part in pixels, and whether the pixels around it may be read (1) or not (0).
Writes size*size*3 bytes for each, as planes of red, green and blue.
"""
import sys

import PIL.Image
import PIL.ImageOps

for line in sys.stdin:
    name, *numbers = line.rstrip("\n").rsplit(" ", 6)
    box, whole, size = [float(x) for x in numbers[:4]], numbers[4] == "1", int(numbers[5])
    image = PIL.ImageOps.exif_transpose(PIL.Image.open(name)).convert("RGB")
    if not whole:
        image, box = image.crop([int(x) for x in box]), None
    small = image.resize((size, size), PIL.Image.BILINEAR, box=box)
    for channel in small.split():
        sys.stdout.buffer.write(channel.tobytes())
