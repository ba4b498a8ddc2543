"""Runs a command to its end, and tells what it printed last, how long it took and how much memory it and its children had."""
import json
import os
import pathlib
import subprocess
import threading
import time
from dataclasses import dataclass

POLL_SECONDS = 0.1
CARD_POLL_SECONDS = 0.5
KIB_A_GIB = 1 << 20
MIB_A_GIB = 1 << 10


@dataclass(frozen=True)
class Measured:
    """`result` is the JSON object on the last line of standard output."""

    result: dict
    seconds: float
    peak_gib: float
    card_gib: float | None = None


def run(command, log, environment=None, card=False):
    """Runs `command`; its standard error goes to the file `log`. Fails when the command does. With `card` watches the first GPU too."""
    pathlib.Path(log).parent.mkdir(parents=True, exist_ok=True)
    with open(log, "w", encoding="utf-8") as errors:
        begin = time.monotonic()
        child = subprocess.Popen(
            [str(part) for part in command], stdout=subprocess.PIPE, stderr=errors, text=True,
            env={**os.environ, **(environment or {})},
        )
        memory = PeakMemory(child.pid)
        memory.start()
        on_card = CardMemory() if card else None
        if on_card:
            on_card.start()
        output = child.communicate()[0]
        seconds = time.monotonic() - begin
        memory.stop()
        if on_card:
            on_card.stop()
    if child.returncode != 0:
        raise SystemExit(f"Failed: {' '.join(map(str, command))}\nexit code {child.returncode}; see {log}")
    return Measured(json.loads(output.strip().splitlines()[-1]), seconds, memory.peak_kib / KIB_A_GIB, on_card.peak_mib / MIB_A_GIB if on_card else None)


class CardMemory(threading.Thread):
    """The most of the first GPU's memory that was taken, by whichever process, context included: as nvidia-smi tells it."""

    def __init__(self):
        super().__init__(daemon=True)
        self.peak_mib = taken_mib()  # fails here where there is none
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(CARD_POLL_SECONDS):
            self.peak_mib = max(self.peak_mib, taken_mib())

    def stop(self):
        self.ended.set()
        self.join()


def taken_mib():
    query = ["nvidia-smi", "--id=0", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    return int(subprocess.run(query, check=True, capture_output=True, text=True).stdout)


class PeakMemory(threading.Thread):
    """The largest sum, over a process and its children alive at once, of the peak of each. Linux only."""

    def __init__(self, root):
        super().__init__(daemon=True)
        self.root = root
        self.peak_kib = 0
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(POLL_SECONDS):
            self.peak_kib = max(self.peak_kib, sum(peak_of(process) for process in tree(self.root)))

    def stop(self):
        self.ended.set()
        self.join()


def tree(root):
    children = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it has ended meanwhile
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = [root]
    for process in found:
        found.extend(children.get(process, []))
    return found


def peak_of(process):
    """KiB."""
    try:
        status = pathlib.Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0  # it has ended meanwhile
    return sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
