"""Writes the summary of a call of gpu.sh from its folder of results, on standard output:

    summary.py RESULTS

It is below 8,000 bytes, so that it is whole where only the end of an output is kept. Or
plans the training for a limit in seconds, from the rates that were measured:

    summary.py --plan SECONDS BENCH.jsonl DATASET
"""
import json
import os
import sys

MOST = 7800  # bytes
# Of a training's limit: starting, evaluating, and being slower than a benchmark.
START, SHARE = 15, 0.75
IMAGES = {"cifar10": 50000, "fashion-mnist": 10000}  # of an epoch, as gpu.sh lays them out
OPERATORS = 10


def lines_of(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return [line.rstrip("\n") for line in f]
    except OSError:
        return []


def objects(path):
    """The JSON objects of a file; what else is in it, such as a line cut short, is not."""
    found = []
    for line in lines_of(path):
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            found.append(value)
    return found


def table(head, rows):
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return out + ["| " + " | ".join(str(c).replace("|", "/") for c in row) + " |" for row in rows]


def section(title, lines):
    return ["", f"## {title}", ""] + lines if lines else []


def machine(at):
    facts = [line.strip() for line in lines_of(at("machine.txt")) if line.strip()]
    libtorch = dict(line.split("=", 1) for line in lines_of(at("libtorch.txt")) if "=" in line)
    if libtorch:
        facts.append(f"libtorch {libtorch.get('version')}, CUDA {'yes' if libtorch.get('cuda') == '1' else 'no'}")
    facts += [f"shims: {line}" for line in lines_of(at("shims.txt"))]
    facts += [f"data: {line}" for line in lines_of(at("data.txt"))]
    facts += lines_of(at("others.txt"))[:1]
    for check in (objects(at("doctor.jsonl")) or [{"checks": []}])[0]["checks"]:
        of_cuda = check["name"] in ("CUDA", "NVIDIA driver", "NVRTC", "cuda:0")
        if of_cuda or check["status"] == "fail" or (check["status"] == "warn" and "cuda" in check["name"]):
            facts.append(f"{check['status']}: {check['name']}: {check['value']}")
    return ["- " + fact[:160] for fact in facts]


def stages(at):
    rows = []
    for line in lines_of(at("stages.tsv")):
        name, status, seconds, limit, note = (line.split("\t") + [""] * 5)[:5]
        rows.append([name, seconds, limit, status, note[:150]])
    return table(["stage", "s", "limit", "status", "note"], rows) if rows else ["no stage has run"]


def tests(at):
    rows = [line.split("\t") for line in lines_of(at("tests.tsv"))]
    rows = [[r[0], f"`{r[1]}`", *r[2:6]] for r in rows if len(r) == 6]
    return table(["tests of", "filter", "passed", "failed", "skipped", "s"], rows) if rows else []


def lif(at):
    rows, notes = [], []
    for o in objects(at("lif.jsonl")):
        if o.get("bench") == "lif-agreement":
            notes.append(
                f"{o['precision']}, beside SpikingJelly ({o['implementation']}): {o['spikes_that_differ']} "
                f"of {o['spikes']} spikes differ, gradients by {o['gradient_difference']:.1e}."
            )
        elif "share_of_copy" in o:
            rows.append(
                [o["precision"], o["pass"], o["impl"], o["surrogate"], f"{o['gb_per_s']:.4g}", f"{o['copy_gb_per_s']:.4g}"]
                + [f"{100 * o['share_of_copy']:.0f} %"]
            )
    if not rows:
        return []
    return table(["type", "pass", "neuron", "surrogate", "GB/s", "copy", "share"], rows) + ([""] + notes if notes else [])


def benchmarks(at):
    rows = []
    for name in "bench-train", "bench-large", "bench-infer", "bench-search", "stereo-train", "stereo-stream":
        found = objects(at(name + ".jsonl"))
        ratios = {(o["impl"], o["over"]): o["ratio"] for o in found if "over" in o}
        for o in found:
            if "over" in o or "rate_per_s" not in o:
                continue
            if o.get("error"):
                rows.append([o["bench"], o["batch"], o["impl"], o["precision"], "-", "", o["error"][:100], ""])
                continue
            over = [ratios.get((own, o["impl"])) for own in ("spikedhs", "spikedhs-graphs")]
            memory = o.get("peak_device_mb")
            where = "" if o["device"].startswith("cuda") else f" ({o['device']})"
            rows.append(
                [o["bench"], o["batch"], o["impl"] + where, o["precision"], f"{o['rate_per_s']:.4g}"]
                + [f"{100 * o['spread']:.0f} %"]
                + [f"{memory:.0f}" if memory else "", " / ".join(f"{r:.2f}x" for r in over if r)]
            )
    if not rows:
        return []
    head = ["bench", "batch", "side", "type", "images/s", "spread", "device MB", "eager / graphs over it"]
    return table(head, rows)


def training(at):
    out = []
    plan = lines_of(at("training.txt"))
    epochs = [o for o in objects(at("training-epochs.jsonl")) if o.get("kind") == "train_epoch"]
    if epochs:
        last = epochs[-1]
        out.append(
            f"- {' '.join(plan)}: {len(epochs)} epochs, {last['step']} steps, {last['wall']['images_per_s']:.0f} images/s "
            f"in the last, loss {last['loss']:.3f}, top-1 {last['top1']:.2f} %, "
            f"test top-1 {last.get('test_top1', float('nan')):.2f} %"
        )
    for o in objects(at("eval.jsonl"))[-1:]:
        out.append(f"- eval: top-1 {o['top1']:.2f} % of {o['images']} images")
    for o in objects(at("export.jsonl"))[-1:]:
        c = o["check"]
        out.append(
            f"- export: {c['same_class']} of {c['images']} images the same class, "
            f"largest difference {c['max_difference']:.1e}"
        )
    for o in objects(at("cpu.jsonl"))[-1:]:
        out.append(
            f"- on the CPU: {o['same_class']} of {o['images']} classes alike in the program and in Python "
            f"(PyTorch {o['torch']})"
        )
    return out


def profile(at):
    for o in objects(at("profile.jsonl"))[-1:]:
        head = f"{o['bench']}, batch {o['batch']}, {o['precision']}: {o['step_ms']:.1f} ms a step"
        if "device_ms" in o:
            head += f", operators {o['device_ms']:.1f} ms on the device"
        rows = [
            [r["name"], f"{r['calls']:.0f}", f"{r.get('device_ms', 0):.2f}", f"{r['host_ms']:.2f}"]
            + [f"{100 * r['share']:.1f} %"]
            for r in o["operators"][:OPERATORS]
        ]
        return [head, ""] + table(["operator", "calls", "device ms", "host ms", "share"], rows)
    return []


def summary(folder):
    def at(name):
        return os.path.join(folder, name)

    parts = [["# A day with a GPU", ""] + machine(at), section("Stages", stages(at)), section("LIF", lif(at))]
    parts += [section("Benchmarks", benchmarks(at)), section("A training", training(at))]
    parts += [section("CUDA tests", tests(at)), section("Operators of a step", profile(at))]
    text = ""
    for part in parts:
        more = "".join(line + "\n" for line in part)
        if len((text + more).encode()) > MOST:
            text += "\n(more in gpu-results.tar.gz)\n"
            break
        text += more
    return text


def plan(seconds, bench, data):
    """Settings of a training that takes about so long."""
    rates = [o["rate_per_s"] for o in objects(bench) if o.get("impl") == "spikedhs-graphs" and not o.get("error")]
    rates = rates or [o["rate_per_s"] for o in objects(bench) if o.get("impl") == "spikedhs" and "over" not in o]
    whole = IMAGES[data]
    if not rates or rates[-1] <= 0:
        return ["train.epochs=1"]  # its limit ends it
    images = SHARE * max(seconds - START, 1) * rates[-1]
    if images >= whole:
        return [f"train.epochs={int(images // whole)}"]
    return ["train.epochs=1", f"data.train_images={max(int(images), 200)}"]


def main():
    if sys.argv[1] == "--plan":
        print("\n".join(plan(float(sys.argv[2]), sys.argv[3], sys.argv[4])))
    else:
        sys.stdout.write(summary(sys.argv[1]))


if __name__ == "__main__":
    main()
