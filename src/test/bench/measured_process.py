"""Runs a command to its end, and tells what it printed last, how long it took and how much memory it and its children had."""
import json
import os
import pathlib
import subprocess
import threading
import time
from dataclasses import dataclass

POLL_SECONDS = 0.1
KIB_A_GIB = 1 << 20


@dataclass(frozen=True)
class Measured:
    """`result` is the JSON object on the last line of standard output."""

    result: dict
    seconds: float
    peak_gib: float


def run(command, log, environment=None):
    """Runs `command`; its standard error goes to the file `log`. Fails when the command does."""
    pathlib.Path(log).parent.mkdir(parents=True, exist_ok=True)
    with open(log, "w", encoding="utf-8") as errors:
        begin = time.monotonic()
        child = subprocess.Popen(
            [str(part) for part in command], stdout=subprocess.PIPE, stderr=errors, text=True,
            env={**os.environ, **(environment or {})},
        )
        memory = PeakMemory(child.pid)
        memory.start()
        output = child.communicate()[0]
        seconds = time.monotonic() - begin
        memory.stop()
    if child.returncode != 0:
        raise SystemExit(f"Failed: {' '.join(map(str, command))}\nexit code {child.returncode}; see {log}")
    return Measured(json.loads(output.strip().splitlines()[-1]), seconds, memory.peak_kib / KIB_A_GIB)


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
