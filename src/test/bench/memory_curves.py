#!/usr/bin/env python3
"""Resident memory of the driver and of every executor over a long run; prints a table and how much each still grows.

    python3 src/test/bench/memory_curves.py --spark-submit spark-submit --jar target/spark-qlora.jar \
        --model MODEL --data DATA.jsonl --output OUTPUT [--steps 300] [--executors 2] [OPTION OF train ...]

It needs Linux: memory is read from /proc, twice a second. The model and data of `demo --output DIR` (DIR/base/model, DIR/pirate.jsonl) will do.
"""
import argparse
import pathlib
import statistics
import subprocess
import sys
import time

EXECUTOR = b"CoarseGrainedExecutorBackend"
MIB = 1 << 20


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spark-submit", default="spark-submit")
    parser.add_argument("--jar", default="target/spark-qlora.jar")
    parser.add_argument("--conf", default="spark-conf/local.conf")
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--output", required=True, type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--executors", type=int, default=2)
    parser.add_argument("--executor-mib", type=int, default=1024)
    return parser.parse_known_args()


def command(options, more):
    master = f"local-cluster[{options.executors},1,{options.executor_mib}]"
    return [
        options.spark_submit, "--master", master, "--properties-file", options.conf,
        "--conf", f"spark.executor.memory={options.executor_mib}m", options.jar,
        "train", "--model", options.model, "--data", options.data, "--output", str(options.output),
        "--max-steps", str(options.steps), *more,
    ]


def descendants(root):
    """Process numbers of `root` and of all that it started."""
    parents = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it has ended meanwhile
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = [root]
    for process in found:
        found.extend(parents.get(process, []))
    return found


def resident(process):
    """Name and resident bytes of a Java process of the run; nothing for other processes."""
    folder = pathlib.Path(f"/proc/{process}")
    try:
        words = (folder / "cmdline").read_bytes().split(b"\0")
        pages = int((folder / "statm").read_text().split()[1])
    except (OSError, IndexError):
        return None
    if EXECUTOR in b" ".join(words):
        return "executor " + words[words.index(b"--executor-id") + 1].decode(), pages * 4096
    return ("driver", pages * 4096) if b"org.apache.spark.deploy.SparkSubmit" in words else None


def steps_done(metrics):
    try:
        return metrics.read_bytes().count(b"\n")
    except OSError:
        return 0


def sample(run, metrics):
    """step -> process -> resident bytes, the last sample of each step."""
    curve = {}
    while run.poll() is None:
        step = steps_done(metrics)
        for process in descendants(run.pid):
            named = resident(process)
            if named:
                curve.setdefault(step, {})[named[0]] = named[1]
        time.sleep(0.5)
    return curve


def growth(curve, name, first):
    """MiB a hundred steps from step `first` on, by least squares."""
    points = [(step, sizes[name] / MIB) for step, sizes in curve.items() if step >= first and name in sizes]
    return 100 * statistics.linear_regression(*zip(*points)).slope if len(points) > 1 else float("nan")


def report(curve, steps):
    names = sorted({name for sizes in curve.values() for name in sizes})
    print("step  " + "  ".join(f"{name:>12}" for name in names) + "   (MiB resident)")
    shown = 0
    for step in sorted(curve):
        if step >= shown:
            print(f"{step:4d}  " + "  ".join(f"{curve[step].get(name, 0) / MIB:12.0f}" for name in names))
            shown = step + steps // 10
    for name in names:
        print(f"{name}: {growth(curve, name, steps // 3):+.1f} MiB a hundred steps after step {steps // 3}")


def main():
    options, more = arguments()
    run = subprocess.Popen(command(options, more), stdout=subprocess.DEVNULL)
    curve = sample(run, options.output / "metrics.jsonl")
    if run.returncode:
        sys.exit(f"The run failed with code {run.returncode}; its output is above")
    report(curve, options.steps)


if __name__ == "__main__":
    main()
