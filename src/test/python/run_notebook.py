"""Run a notebook from top to bottom and keep it with its outputs: run_notebook.py NOTEBOOK FOLDER.

Fails when the stored notebook has outputs, a cell fails, or a cell shows anything but plots and tables, such as a warning; and
when no plot is shown. Pictures are stored beside the notebook.
"""

import base64
import pathlib
import sys
import time

import nbformat
from nbclient import NotebookClient

LONGEST_SECONDS = 30 * 60  # a cell that hangs


def stored(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code" and (cell.outputs or cell.execution_count):
            yield f"it is stored with outputs: {cell.source[:60]}"


def shown(notebook, pictures):
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if output.output_type == "stream":
                yield f"{output.name}, of {cell.source[:60]!r}: {output.text[:2000]}"
            elif "image/png" in data:
                pictures.append(base64.b64decode(data["image/png"]))
            elif "text/html" not in data:
                yield f"neither a plot nor a table, of {cell.source[:60]!r}: {output}"


def main(source, folder):
    notebook = nbformat.read(source, as_version=4)
    problems = list(stored(notebook))
    folder.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    try:
        NotebookClient(notebook, timeout=LONGEST_SECONDS, startup_timeout=LONGEST_SECONDS).execute()
    finally:
        nbformat.write(notebook, folder / source.name)

    seconds = time.monotonic() - begin
    pictures = []
    problems += shown(notebook, pictures)
    for number, picture in enumerate(pictures, 1):
        (folder / f"{source.stem}-{number}.png").write_bytes(picture)

    (folder / f"{source.stem}.seconds").write_text(f"{seconds:.1f}\n")
    if not pictures:
        problems.append("it shows no plot")

    if problems:
        sys.exit(f"{source}:\n" + "\n".join(problems))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
