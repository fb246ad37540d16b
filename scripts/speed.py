#!/usr/bin/env python3
"""speed.py OLD NEW [--rounds N] [--seconds S] [--threads N] [CASE ...]: two programs, the same benchmarks in turn.

Every round measures each case (train, search, infer, stereo-train, stereo-search and
stereo-stream; all by default) once with OLD and once with NEW, in turn first. Printed are
the medians of rates and of peak memory, the median over the rounds of NEW's over OLD's,
and how far those spread. Exits with 1 where NEW is slower or larger by more than 3 %.
scripts/same.sh leaves the programs of the commits that it built. Use an idle machine.
"""

import argparse
import json
import statistics
import subprocess
import sys

LIMIT = 0.03
IMAGES = ["--batch", "8"]
CASES = {
    "train": ["train", *IMAGES], "search": ["search", *IMAGES, "--width", "8"], "infer": ["infer", *IMAGES],
    "stereo-train": ["stereo-train"], "stereo-search": ["stereo-search"], "stereo-stream": ["stereo-stream"],
}


def measure(program, case, o):
    """Our side's rate (steps or images a second) and its peak memory in MB."""
    limits = ["--repeats", "1", "--seconds", str(o.seconds), "--threads", str(o.threads)]
    command = [program, "bench", *CASES[case], *limits, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"speed.py: {' '.join(command)} failed:\n{done.stderr.strip()[-2000:]}")
    for line in done.stdout.splitlines():
        record = json.loads(line)
        if "rate_per_s" in record:
            return record["rate_per_s"], record["peak_rss_mb"]
    sys.exit(f"speed.py: {' '.join(command)} printed no rate")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--threads", type=int, default=1)
    o = parser.parse_args()
    for case in o.cases:
        if case not in CASES:
            parser.error(f"no case {case}: there are {', '.join(CASES)}")
    print("| case | old, 1/s | new, 1/s | new/old | spread | old, MB | new, MB | new/old |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    worse = False
    for case in o.cases or CASES:
        samples = {o.old: [], o.new: []}
        for i in range(o.rounds):
            for program in (o.old, o.new) if i % 2 == 0 else (o.new, o.old):
                samples[program].append(measure(program, case, o))
        old, new = samples[o.old], samples[o.new]
        speed = [n[0] / b[0] for b, n in zip(old, new)]
        memory = [n[1] / b[1] for b, n in zip(old, new)]
        rates = [statistics.median(s[0] for s in side) for side in (old, new)]
        sizes = [statistics.median(s[1] for s in side) for side in (old, new)]
        ratios = statistics.median(speed), statistics.median(memory)
        worse = worse or ratios[0] < 1 - LIMIT or ratios[1] > 1 + LIMIT
        print(f"| {case} | {rates[0]:.3f} | {rates[1]:.3f} | {ratios[0]:.3f} | {min(speed):.2f} to {max(speed):.2f} "
              f"| {sizes[0]:.0f} | {sizes[1]:.0f} | {ratios[1]:.3f} |", flush=True)
    sys.exit(1 if worse else 0)


main()
