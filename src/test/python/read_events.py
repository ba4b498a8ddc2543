"""Reads the event files of a run with TensorBoard's own reader: read_events.py FOLDER RESULT.

RESULT gets {"train": {TAG: [[step, value], ...]}, "validation": ...}.
"""

import json
import pathlib
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

folder, result = map(pathlib.Path, sys.argv[1:])
curves = {}
for part in ("train", "validation"):
    events = EventAccumulator(str(folder / part)).Reload()
    curves[part] = {
        tag: [[scalar.step, scalar.value] for scalar in events.Scalars(tag)] for tag in events.Tags()["scalars"]
    }
result.write_text(json.dumps(curves))
