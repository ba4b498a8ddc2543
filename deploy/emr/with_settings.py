#!/usr/bin/env python3
"""Prints a JSON file of this folder with the settings of spark-conf/ in it, so that they are kept in one place.

with_settings.py cluster-gpu.json ../../spark-conf/emr.conf ../../spark-conf/emr-gpu.conf > cluster.json
A later file goes over an earlier one; what the JSON file sets itself goes over both.
"""

import json
import re
import sys
from pathlib import Path

# As Java reads properties: a key ends at the first blank, "=" or ":".
LINE = re.compile(r"\s*(?![#!])([^\s=:]+)\s*[=:]?\s*(.*?)\s*$")


def read(file):
    found = (LINE.match(line) for line in Path(file).read_text().splitlines())
    return {match[1]: match[2] for match in found if match}


def fill(node, settings):
    """Fills the classification spark-defaults, which EMR and EMR Serverless spell differently."""
    if isinstance(node, list):
        for each in node:
            fill(each, settings)
    elif isinstance(node, dict):
        if "spark-defaults" in (node.get("Classification"), node.get("classification")):
            properties = "Properties" if "Classification" in node else "properties"
            node[properties] = {**settings, **node[properties]}
        for each in node.values():
            fill(each, settings)


def main(template, *files):
    document = json.loads(Path(template).read_text())
    settings = {}
    for file in files:
        settings.update(read(file))
    fill(document, settings)
    json.dump(document, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main(*sys.argv[1:])
