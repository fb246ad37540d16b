"""What scripts/same.sh needs: `same.py data FOLDER [SHARE]` makes its images, recordings
and configurations, all images or one of SHARE; `same.py compare OLD NEW` prints what two
builds left, side by side, and exits with 1 where they differ. The standard library is
enough; with PyTorch the logits of exported models are compared as well."""

import json
import os
import pathlib
import random
import struct
import sys
import zipfile
import zlib

# Stereo's evaluation alone may differ, once it runs the folded network: the mean
# disparity error by so many pixels, and what else comes of the same disparities
# (accuracies, depths, loss) by a thousandth or 0.05.
DISPARITY_TOLERANCE = 1e-4
EVALUATIONS = ("stereo-eval", "test", "validation_", "evaluation", "best")
# What depends on the clock, the folder or the build.
NOT_RESULTS = {"wall", "drawings", "seconds", "ms", "version", "network", "with_stacking", "scenes_per_s"}


IMAGE = """
[run]
device = "cpu"
precision = "float32"
threads = 1
[data]
name = "fashion-mnist"
path = "data/images"
pad = 2
[network]
nodes = 2
levels = [1, 2]
steps = 2
[search]
epochs = 2
warmup_epochs = 1
batch = 20
width = 2
lr = 0.05
alpha_lr = 0.02
[train]
width = 4
epochs = 2
batch = 20
lr = 0.05
cutout = 8
[dgs]
candidates = 3
iterations = 3
every = 1
"""
EVENTS = {
    '"fashion-mnist"': '"event-folder"', 'images"': 'recordings"\nsensor = [12, 12]\nsize = 8', "pad = 2\n": "",
    "levels = [1, 2]": "levels = [0, 1]", "cutout = 8": "cutout = 2\ncrop_padding = 1",
}
STEREO = """
[run]
device = "cpu"
precision = "float32"
threads = 1
[data]
name = "stereo"
path = "scenes"
[stereo]
steps = 2
crop = [48, 60]
max_disparity = 21
feature_layers = 1
matching_layers = 2
milestones = [1]
[search]
epochs = 2
warmup_epochs = 1
batch = 2
width = 2
lr = 0.02
images = 12
trellis_levels = 2
[train]
genotype = "spikedhs-stereo"
epochs = 2
batch = 3
width = 2
lr = 0.003
weight_decay = 0.0
[dgs]
candidates = 3
iterations = 2
every = 1
"""


def write_configurations(folder):
    """image.toml, event.toml and stereo.toml: small networks on these data and on scenes."""
    events = IMAGE
    for old, new in EVENTS.items():
        events = events.replace(old, new)
    for name, text in (("image", IMAGE), ("event", events), ("stereo", STEREO)):
        (folder / f"{name}.toml").write_text(text)


def write_images(folder, share):
    """IDX files as Fashion-MNIST has them: a bright block at a place of the class's own."""
    for split, count, seed in (("train", 160 // share, 1), ("t10k", 60 // share, 2)):
        rng = random.Random(seed)
        pixels, labels = bytearray(), bytearray()
        for i in range(count):
            label = i % 10
            labels.append(label)
            for y in range(28):
                for x in range(28):
                    block = y // 6 == label // 4 and x // 7 == label % 4
                    pixels.append(rng.randrange(60) + (180 if block else 0))
        (folder / f"{split}-images-idx3-ubyte").write_bytes(struct.pack(">4I", 2051, count, 28, 28) + pixels)
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 2049, count) + labels)


def write_pictures(folder, share):
    """A folder of PNG files for each class, of several sizes: two gradients of colour."""
    rng = random.Random(5)
    for split, count in (("train", 12 // share), ("val", 4 // share)):
        for label in range(2):
            place = folder / split / f"class{label}"
            place.mkdir(parents=True)
            for i in range(count):
                width, height = 20 + rng.randrange(12), 20 + rng.randrange(12)
                rows = bytearray()
                for y in range(height):
                    rows.append(0)
                    for x in range(width):
                        rows += bytes([8 * (x, y)[label], rng.randrange(100), 8 * (y, x)[label]])
                header = b"IHDR" + struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
                chunks = (header, b"IDAT" + zlib.compress(rows), b"IEND")
                body = b"".join(struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks)
                (place / f"{i}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def write_recordings(folder, share):
    """Recordings as N-MNIST has them, three classes: a bar that moves left, right or down."""
    for split, count, seed in (("Train", 16 // share, 3), ("Test", 6 // share, 4)):
        rng = random.Random(seed)
        for label in range(3):
            place = folder / split / str(label)
            place.mkdir(parents=True)
            for i in range(count):
                text = bytearray()
                for t in range(0, 90000, 500):
                    along = t * 12 // 90000
                    other = rng.randrange(12)
                    x, y = [(along, other), (11 - along, other), (other, along)][label]
                    text += bytes([x, y, rng.randrange(2) << 7 | t >> 16, t >> 8 & 255, t & 255])
                (place / f"{i:05}.bin").write_bytes(text)


def genotype(value):
    """The wiring, whatever the version of the file: {subnet: (levels, {edge: operation})}."""
    def edges(cell):
        return {e["edge"]: e["op"] for e in cell["edges"]}

    if "subnets" in value:
        return {n["name"]: (n.get("path", n.get("levels")), edges(n["cell"])) for n in value["subnets"]}
    if "normal" in value:
        cells = {"normal": (value.get("path"), edges(value["normal"]))}
        if value.get("reduction"):
            cells["reduction"] = (None, edges(value["reduction"]))
        return cells
    return {name: (value[name]["path"], edges(value[name]["cell"])) for name in ("feature", "matching")}


def tensors(path):
    """Every tensor of a safetensors file: name -> (type, shape, bytes)."""
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    return {
        name: (h["dtype"], h["shape"], data[8 + size + h["data_offsets"][0] : 8 + size + h["data_offsets"][1]])
        for name, h in header.items()
    }


def far(old, new):
    """How far two tensors are apart, in words."""
    if old[:2] != new[:2]:
        return f"{old[0]} {old[1]} and {new[0]} {new[1]}"
    if old[0] != "F32":
        return "other bytes"
    pairs = zip(struct.unpack(f"<{len(old[2]) // 4}f", old[2]), struct.unpack(f"<{len(new[2]) // 4}f", new[2]))
    return f"by up to {max(abs(a - b) for a, b in pairs):.3g}"


class Difference(Exception):
    """The first thing that two results do not share."""


def same_values(old, new, where, notes, stereo):
    """Compares two JSON values; keys that only new has are noted."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key, value in old.items():
            if key in NOT_RESULTS:
                continue
            if key == "genotype" and isinstance(value, dict):
                value, new = genotype(value), {**new, key: genotype(new[key])}
            if key not in new:
                raise Difference(f"{where}: {key} is missing")
            same_values(value, new[key], f"{where}.{key}", notes, stereo)
        notes.update(set(new) - set(old) - NOT_RESULTS)
        return
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, pair in enumerate(zip(old, new)):
            same_values(*pair, f"{where}[{i}]", notes, stereo)
        return
    if stereo and isinstance(old, float) and isinstance(new, float) and any(name in where for name in EVALUATIONS):
        apart = abs(old - new)
        if apart <= (DISPARITY_TOLERANCE if "mean_disparity_error" in where else max(0.05, 1e-3 * abs(old))):
            return
    if old != new:
        raise Difference(f"{where}: {json.dumps(old)[:60]} and {json.dumps(new)[:60]}")


def same_metrics(old, new, stereo):
    """Compares the records of each kind. Kinds and fields that only new has are noted."""
    def by_kind(path):
        kinds = {}
        for line in path.read_text().splitlines():
            record = json.loads(line)
            kinds.setdefault(record.pop("kind"), []).append(record)
        return kinds

    left, right, notes, count = by_kind(old), by_kind(new), set(), 0
    for kind, records in left.items():
        others = right.get(kind, [])
        if len(records) != len(others):
            raise Difference(f"{len(records)} and {len(others)} records {kind}")
        for i, pair in enumerate(zip(records, others)):
            same_values(*pair, f"{kind} {i + 1}", notes, stereo)
            count += 1
    notes.update(set(right) - set(left))
    return f"{count} records", notes


def same_weights(old, new, _):
    left, right = tensors(old), tensors(new)
    for name in left:
        if name not in right:
            raise Difference(f"tensor {name} is missing")
        if left[name] != right[name]:
            raise Difference(f"tensor {name}: {far(left[name], right[name])}")
    if set(right) - set(left):
        raise Difference(f"tensor {sorted(set(right) - set(left))[0]} is new")
    return f"{len(left)} tensors", set()


def same_logits(old, new, _):
    """Runs both archives in PyTorch. Their code may differ, their logits may not."""
    import torch

    info = None
    with zipfile.ZipFile(old) as archive:
        for name in archive.namelist():
            if name.endswith("spikedhs.json"):
                info = json.loads(archive.read(name))
    steps = [info["steps"]] if info.get("events") else []
    torch.manual_seed(1)
    images = torch.rand([8, *steps, info["channels"], info["height"], info["width"]])
    images = images.round() if steps else images
    with torch.no_grad():
        a, b = (torch.jit.load(str(path))(images) for path in (old, new))
    if not torch.equal(a, b):
        raise Difference(f"logits: by up to {(a - b).abs().max().item():.3g}")
    return f"{a.numel()} logits", set()


def same_bytes(old, new, _):
    if old.read_bytes() != new.read_bytes():
        raise Difference("other bytes")
    return f"{old.stat().st_size} bytes", set()


def same_genotype(old, new, _):
    left, right = (genotype(json.loads(p.read_text())) for p in (old, new))
    if left != right:
        raise Difference(f"{left} and {right}")
    return "wiring and path", set()


def same_json(old, new, stereo):
    notes = set()
    left, right = (json.loads(p.read_text()) for p in (old, new))
    same_values(left, right, old.stem, notes, stereo)
    return "all values", notes


def comparison(path):
    """How a file is compared, None for those that hold no results."""
    name = path.name
    if path.parts[0] == "data" or ".stacks" in path.parts:
        return None
    if name == "metrics.jsonl":
        return same_metrics
    if name == "genotype.json" or path.suffix == ".json" and "genotypes" in path.parts:
        return same_genotype
    if path.suffix == ".safetensors":
        return same_weights
    if name == "model.pt" and not path.parts[0].startswith("stereo"):
        return same_logits if have_torch() else None
    if path.suffix == ".npy" or path.parts[0] == "scenes":
        return same_bytes
    if path.suffix == ".json" and len(path.parts) == 1:
        return same_json
    return None


def have_torch():
    try:
        import torch

        return hasattr(torch, "jit")
    except ImportError:
        return False


def compare(old, new):
    """Prints a table of all results of old, and returns whether new has the same."""
    rows, equal = [], True
    for path in sorted(p.relative_to(old) for p in old.rglob("*") if p.is_file()):
        how = comparison(path)
        if how is None:
            continue
        try:
            if not (new / path).exists():
                raise Difference("not there")
            what, notes = how(old / path, new / path, path.parts[0].startswith("stereo"))
            result = "equal" + (f"; new also has {', '.join(sorted(notes))}" if notes else "")
        except Difference as d:
            what, result, equal = "", f"DIFFERS: {d}", False
        # Files that are many become one row, unless they differ.
        if how is same_bytes and result == "equal":
            path, what = path.parent if path.parts[0] != "scenes" else pathlib.Path("scenes"), "bytes of all files"
        if (str(path), what, result) not in rows:
            rows.append((str(path), what, result))
    if not have_torch():
        rows.append(("model.pt", "", "not compared: this Python has no PyTorch; name one with PYTHON"))
    width = [max(len(r[i]) for r in rows) for i in range(2)]
    for row in rows:
        print(f"{row[0]:{width[0]}}  {row[1]:{width[1]}}  {row[2]}")
    print("equal" if equal else "DIFFERENT", f"({len(rows)} rows)")
    return equal


def main():
    if sys.argv[1] == "data":
        folder = pathlib.Path(sys.argv[2])
        for part, write in (("images", write_images), ("pictures", write_pictures), ("recordings", write_recordings)):
            (folder / part).mkdir(parents=True)
            write(folder / part, int(sys.argv[3]) if len(sys.argv) > 3 else 1)
        write_configurations(folder)
        return 0
    return 0 if compare(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])) else 1


if __name__ == "__main__":
    sys.exit(main())
