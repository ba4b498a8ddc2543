#!/usr/bin/env python3
"""Measures this program beside PEFT, bitsandbytes, torch and datasets: same model, data, threads, taking turns; prints ratios.

    pip install pyspark==3.5.9        # for spark-submit
    mvn -B -Pquick -DskipTests package
    python3 src/test/bench/beside_peer.py all --model MODEL --data CHAT.jsonl --work FOLDER

Nothing else may run on the machine. MODEL is a Hugging Face folder, CHAT.jsonl has conversations ({"messages": [...]}). Modes:

    train      tokens per second, peak resident memory and losses beside each recipe of peer_train.py, and the share of the roofline
    kernels    NF4, optimisers, products and attention beside bitsandbytes and torch
    curve      losses step by step from one first adapter
    threads    one task of two threads, two tasks of one thread
    executors  two executors of one core beside one, on two cores and on one
    lengths    rows of 512 to 8192 tokens: speed, peak, and the estimate of `plan`
    sizes      larger models: the same
    ranks      adapters of rank 4 to 64: the same
    prepare    tokenising and packing beside datasets.map, on one core and on all
    start      seconds from spark-submit to the first step, model already quantised
    all        all of these

With --device cuda, on a machine with an idle NVIDIA GPU and a jar of -Pgpu: train and curve, memory being the card's. That was never run.

Medians over --repetitions; of a run, over the steps after --warm-up. Results go to FOLDER/results.json too, logs to FOLDER/logs.
The Python environment of the peers is made in ~/.cache/spark-qlora once (6 GB), unless --peer-python names one.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

from measured_process import run

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PEER_CACHE = pathlib.Path.home() / ".cache" / "spark-qlora" / "bench-python"
DATASETS = "datasets==5.2.0"
ALLOCATOR = {"PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True"}  # as in spark-conf's files for GPUs; peers are measured as documented
MALLOC = {"GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=4294967295:glibc.malloc.arena_max=8"}
OWN = {"ours": ["--recompute", "all"], "ours, --recompute none": ["--recompute", "none"]}
ON_CARD = ("train", "curve")
RECIPES = {"default": {}, "lean": {}, "fast": {}, "fast, malloc as ours": MALLOC}
KERNELS = [
    ("nf4", "quantize_weights_per_second"), ("nf4", "dequantize_bf16_weights_per_second"),
    ("optimizer", "adamw_parameters_per_second"), ("optimizer", "adamw_8bit_parameters_per_second"),
    ("matmul", "bf16_2048x576x1536_tflops"), ("matmul", "bf16_2048x4096x4096_tflops"), ("thread", "float32_2048x576x1536_tflops"),
]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=[*MODES, "all"])
    parser.add_argument("--model", required=True, type=pathlib.Path)
    parser.add_argument("--data", required=True, type=pathlib.Path)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--spark-submit", default="spark-submit")
    parser.add_argument("--jar", default=ROOT / "target" / "spark-qlora.jar", type=pathlib.Path)
    parser.add_argument("--conf", default=ROOT / "spark-conf" / "local.conf", type=pathlib.Path)
    parser.add_argument("--peer-python", type=pathlib.Path, help="a Python that has what the peers need")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--warm-up", type=int, default=2, help="first steps that do not count")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--sequence", type=int, default=512)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"), help="cuda: for train and curve")
    parser.add_argument("--precision", default="bf16", choices=("bf16", "fp32"), help="of both: theirs is faster in fp32 on a processor without instructions for bf16")
    parser.add_argument("--copies", type=int, default=20, help="of the data, for prepare")
    parser.add_argument("--train-options", default="", help="more options for each train, such as '--micro-batch-size 4'")
    parser.add_argument("--recipes", default=",".join(["default", "lean", "fast"]))
    options = parser.parse_args()
    if options.device == "cuda" and options.mode not in ON_CARD:
        parser.error(f"--device cuda: expected one of {', '.join(ON_CARD)}, found {options.mode}")
    return options


class Bench:
    """One sitting: its options, its folder, and what was found so far."""

    def __init__(self, options):
        self.options = options
        self.work = options.work.resolve()
        self.work.mkdir(parents=True, exist_ok=True)
        self.python = options.peer_python or peer_python()
        self.count = 0

    def log(self, name):
        self.count += 1
        return self.work / "logs" / f"{self.count:03d}-{name}.log"

    def submit(self, name, arguments, master=None, settings=(), java="", cores=None):
        """Runs a command of ours as a user does, on so many cores alone if told."""
        options = self.options
        conf = [part for setting in settings for part in ("--conf", setting)]
        slots = 1 if self.on_card() else options.threads
        command = [
            *pinned(cores), options.spark_submit, "--master", master or f"local[{slots}]", "--properties-file", options.conf,
            *conf, options.jar, *arguments,
        ]
        environment = {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_SCALA_VERSION": "2.12", "SPARK_SUBMIT_OPTS": java, **(ALLOCATOR if self.on_card() else {})}
        return run(command, self.log(name), environment, self.on_card())

    def on_card(self):
        return self.options.device == "cuda"

    def memory(self, measured):
        """Peak of what the training is about: the card's memory, or the processes'."""
        return measured.card_gib if self.on_card() else measured.peak_gib

    def peer(self, script, arguments, environment=None, cores=None):
        return run([*pinned(cores), self.python, HERE / script, *arguments], self.log(pathlib.Path(script).stem), environment, self.on_card())

    def rows(self):
        path = self.work / f"rows-{self.options.sequence}.jsonl"
        if not path.exists():
            arguments = [
                "--model", self.options.model, "--data", self.options.data, "--sequence", self.options.sequence,
                "--rows", self.options.steps * self.options.batch, "--output", path,
            ]
            subprocess.run([str(part) for part in [self.python, HERE / "peer_rows.py", *arguments]], check=True)
        return path

    def train(self, master=None, settings=(), more=(), steps=None, cores=None):
        """A training run of ours, its steps from metrics.jsonl; on so many cores alone if told."""
        options = self.options
        output = self.work / "output"
        shutil.rmtree(output, ignore_errors=True)
        begin = time.time()
        measured = self.submit("train", [
            "train", "--model", options.model, "--data", self.rows(), "--format", "tokens", "--no-packing", "--no-shuffle",
            "--output", output, "--sequence-length", options.sequence, "--batch-size", options.batch,
            "--rank", options.rank, "--alpha", 2 * options.rank, "--max-steps", steps or options.steps, "--optimizer", "adamw",
            "--learning-rate", "2e-4", "--warmup-ratio", "0", "--max-grad-norm", "1", "--model-cache", self.work / "cache",
            "--device", options.device, "--precision", options.precision, *options.train_options.split(), *more,
        ], master, settings, cores=cores)
        metrics = (output / "metrics.jsonl").read_text().splitlines()
        steps = [json.loads(line) for line in metrics]
        return Training([step["seconds"] for step in steps], [step["loss"] for step in steps], self.memory(measured), begin)

    def speed(self, training):
        counted = training.seconds[self.options.warm_up:]
        return self.options.batch * self.options.sequence / statistics.median(counted)

    def bench(self, parts, *more, repetitions=5, threads=None):
        return self.submit("bench", [
            "bench", "--parts", parts, "--device", self.options.device, "--threads", threads or self.options.threads,
            "--repetitions", repetitions, *more,
        ])


class Training:
    def __init__(self, seconds, losses, peak_gib, begin=None):
        self.seconds = seconds
        self.losses = losses
        self.peak_gib = peak_gib
        self.begin = begin


def pinned(cores):
    """The beginning of a command that has so many cores: the JVM compiles and collects on idle ones else."""
    return ["taskset", "--cpu-list", f"0-{cores - 1}"] if cores else []


def peer_python():
    """An environment with the pinned libraries of the tests, and datasets."""
    python = PEER_CACHE / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", PEER_CACHE], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--retries", "8"]
        try:
            subprocess.run([*pip, "-r", ROOT / "src" / "test" / "python" / "requirements.txt"], check=True)
            subprocess.run([*pip, DATASETS], check=True)
        except subprocess.CalledProcessError:
            shutil.rmtree(PEER_CACHE)  # half an environment would be found the next time
            raise
    return python


def median_of(runs, value):
    return statistics.median(value(each) for each in runs)


def table(title, header, rows):
    print(f"\n{title}\n")
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(cell if isinstance(cell, str) else f"{cell:,.3g}" if cell < 100 else f"{cell:,.0f}" for cell in row) + " |")
    sys.stdout.flush()


def train(bench):
    options = bench.options
    recipes = options.recipes.split(",")
    recipes += ["fast, malloc as ours"] if "fast" in recipes else []
    ours, peers, shares = {way: [] for way in OWN}, {recipe: [] for recipe in recipes}, []
    step = [
        "--model", options.model, "--model-cache", bench.work / "cache", "--sequence-length", options.sequence,
        "--batch-size", options.batch, "--rank", options.rank, *micro_batch(options),
    ]
    for _ in range(options.repetitions):
        for way, words in OWN.items():
            ours[way].append(bench.train(more=words))
        shares.append(bench.bench("step", *step).result["step"])
        for recipe in recipes:
            peers[recipe].append(peer_training(bench, recipe.split(",")[0], RECIPES[recipe]))
    rows = [[run, median_of(all_runs, bench.speed), median_of(all_runs, lambda one: one.peak_gib)] for run, all_runs in {**ours, **peers}.items()]
    for row in rows:
        for mine in ours.values():
            row += ["", ""] if row[0] in ours else beside(bench, mine, peers[row[0]])
    header = ["run", "tokens/s", "peak GiB", *(f"{way}: {what}" for way in ours for what in ("speed", "memory"))]
    table(f"train: {options.batch} x {options.sequence} tokens a step, rank {options.rank}, {options.threads} threads", header, rows)
    if not all("share_of_recompute_roofline" in share for share in shares):
        print("\nno roofline: what this card promises is not known")
        return {"rows": rows}
    limit = statistics.median(share["recompute_roofline_tokens_per_second"] for share in shares)
    inside = statistics.median(share["share_of_recompute_roofline"] for share in shares)
    own = {way: median_of(all_runs, bench.speed) / limit for way, all_runs in ours.items()}
    reached = ", ".join(f"{way} {share:.1%}" for way, share in own.items())
    print(f"\nrecompute roofline {limit:,.0f} tokens/s; a step alone reaches {inside:.1%}, training: {reached}")
    return {"rows": rows, "roofline": limit, "step_share": inside, "train_shares": own}


def beside(bench, ours, theirs):
    """Speed and peak memory of ours as multiples of theirs."""
    pairs = list(zip(ours, theirs))
    return [
        statistics.median(bench.speed(mine) / bench.speed(other) for mine, other in pairs),
        statistics.median(mine.peak_gib / other.peak_gib for mine, other in pairs),
    ]


def micro_batch(options):
    words = options.train_options.split()
    at = words.index("--micro-batch-size") if "--micro-batch-size" in words else None
    return [] if at is None else words[at:at + 2]


def peer_training(bench, recipe, environment=None, more=()):
    options = bench.options
    measured = bench.peer("peer_train.py", [
        "--model", options.model, "--rows", bench.rows(), "--recipe", recipe, "--steps", options.steps,
        "--batch", options.batch, "--threads", options.threads, "--rank", options.rank, "--device", options.device,
        "--precision", options.precision, *more,
    ], environment)
    result = measured.result
    return Training(result["seconds"], result["losses"], measured.card_gib if bench.on_card() else result["peak_gib"])


def kernels(bench):
    options = bench.options
    ours, theirs = [], []
    for _ in range(options.repetitions):
        all_threads = bench.bench("kernels").result
        # a row on a thread, as tasks compute it; products in float32 too, which OpenBLAS computes on the thread that asks
        thread = bench.bench("pass", "--sequence-length", options.sequence, "--micro-batch-size", 1, threads=1).result
        ours.append(all_threads | {"attention": thread["attention"], "thread": thread["matmul"]})
        theirs.append(bench.peer("peer_kernels.py", ["--threads", options.threads, "--sequence", options.sequence]).result)
    rows = [compared(f"{group} {name}", ours, theirs, group, name, name) for group, name in KERNELS]
    rows.append(compared("optimizer adamw beside torch's", ours, theirs, "optimizer", "adamw_parameters_per_second", "torch_adamw_parameters_per_second"))
    for name in ("forward_ms", "backward_ms"):
        label, mine, other, ratio = compared(f"attention {name}", ours, theirs, "attention", name, name)
        rows.append([f"{label}, one thread", mine, other, 1 / ratio])
    table(f"kernels, {options.threads} threads", ["what", "ours", "peer", "times as fast"], rows)
    return rows


def compared(label, ours, theirs, group, name, peer_name):
    pairs = [(mine[group][name], other[group][peer_name]) for mine, other in zip(ours, theirs)]
    return [
        label.replace("_", " "), statistics.median(mine for mine, _ in pairs), statistics.median(other for _, other in pairs),
        statistics.median(mine / other for mine, other in pairs),
    ]


def curve(bench):
    """Both start from the adapter that PEFT drew."""
    initial = bench.work / "initial-adapter"
    peer = peer_training(bench, "lean", more=["--save-initial", initial])
    ours = bench.train(more=["--init-adapter", initial])
    rows = [[str(step + 1), mine, theirs, abs(mine - theirs)] for step, (mine, theirs) in enumerate(zip(ours.losses, peer.losses))]
    table("losses from one first adapter", ["step", "ours", "peer (lean)", "difference"], rows)
    return rows


def threads(bench):
    ways = {"one task of two threads": ["spark.task.cpus=2"], "two tasks of one thread": []}
    runs = {way: [] for way in ways}
    for _ in range(bench.options.repetitions):
        for way, settings in ways.items():
            runs[way].append(bench.train("local[2]", settings))
    return scaling(bench, "threads", runs)


def executors(bench):
    """As many cores as executors, the driver's included."""
    runs = {"one executor of one core": [], "two executors of one core": []}
    for _ in range(bench.options.repetitions):
        for count, way in enumerate(runs, start=1):
            runs[way].append(bench.train(f"local-cluster[{count},1,2048]", more=["--shards", 2], cores=count))
    return scaling(bench, "executors", runs)


def scaling(bench, title, runs):
    first = next(iter(runs.values()))
    rows = [
        [way, median_of(each, bench.speed), statistics.median(bench.speed(b) / bench.speed(a) for a, b in zip(first, each)),
         median_of(each, lambda run: run.peak_gib)]
        for way, each in runs.items()
    ]
    table(title, ["run", "tokens/s", "to the first", "peak GiB of all processes"], rows)
    return rows


def lengths(bench):
    """At least a row a thread."""
    threads = bench.options.threads
    settings = {
        str(length): ["--sequence-length", length, "--batch-size", max(threads, 2048 // length)] for length in (512, 1024, 2048, 4096, 8192)
    }
    return costs(bench, "sequence length", settings, bench.options.model, repetitions=2)


def sizes(bench):
    settings = {shape: ["--shape", shape, "--sequence-length", 512] for shape in ("smollm2-135m", "smollm2-360m", "tinyllama-1-1b")}
    return costs(bench, "model", settings, None)


def ranks(bench):
    settings = {str(rank): ["--rank", rank, "--sequence-length", 512] for rank in (4, 16, 64)}
    return costs(bench, "rank", settings, bench.options.model)


def costs(bench, title, settings, model, repetitions=5):
    rows = []
    for name, words in settings.items():
        place = [] if model is None else ["--model", model, "--model-cache", bench.work / "cache"]
        measured = bench.bench("step", *place, *words, repetitions=repetitions)
        step = measured.result["step"]
        planned = planned_gib(bench, model, words) if model is not None else ""
        rows.append([name, step["tokens_per_second"], step["share_of_recompute_roofline"], measured.peak_gib, planned])
    table(title, [title, "tokens/s", "share of recompute roofline", "peak GiB", "plan, without Spark, GiB"], rows)
    return rows


def planned_gib(bench, model, words):
    result = bench.submit("plan", ["plan", "--model", model, "--task-cpus", bench.options.threads, *words]).result
    return result["methods"]["qlora"]["executor_bytes"] / (1 << 30)


def prepare(bench):
    data = bench.work / "conversations.jsonl"
    data.write_bytes(bench.options.data.read_bytes() * bench.options.copies)
    found = {}
    for _ in range(bench.options.repetitions):
        for cores in sorted({1, bench.options.threads}):
            found.setdefault(("ours", cores), []).append(own_preparation(bench, data, cores))
            peer = bench.peer("peer_prepare.py", ["--model", bench.options.model, "--data", data, "--processes", cores], cores=cores).result
            found.setdefault(("datasets.map", cores), []).append(peer)
    rows = [
        [f"{who}, cores: {cores}", median_of(runs, lambda run: run["examples"] / run["seconds"]),
         median_of(runs, lambda run: run["tokens"] / run["seconds"])]
        for (who, cores), runs in found.items()
    ]
    table("prepare", ["run", "rows/s", "tokens/s"], rows)
    return rows


def own_preparation(bench, data, cores):
    """Without Java's second compiler, as `spark-qlora prepare` has it."""
    output = bench.work / "prepared"
    shutil.rmtree(output, ignore_errors=True)
    return bench.submit("prepare", [
        "prepare", "--model", bench.options.model, "--data", data, "--output", output, "--sequence-length", 1024,
    ], f"local[{cores}]", java="-XX:TieredStopAtLevel=1", cores=cores).result


def start(bench):
    bench.train(steps=1)  # the model's quantised copy, and the files in memory
    seconds = []
    for _ in range(bench.options.repetitions):
        training = bench.train(steps=1)
        first = (bench.work / "output" / "metrics.jsonl").stat().st_mtime - training.begin
        seconds.append(first - training.seconds[0])
    table("start", ["what", "seconds"], [["spark-submit to the first step", statistics.median(seconds)]])
    return seconds


MODES = {mode.__name__: mode for mode in (train, kernels, curve, threads, executors, lengths, sizes, ranks, prepare, start)}


def main():
    options = arguments()
    bench = Bench(options)
    results = bench.work / "results.json"
    found = json.loads(results.read_text()) if results.exists() else {}
    for mode in MODES if options.mode == "all" else [options.mode]:
        found[mode] = MODES[mode](bench)
        results.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
