#!/usr/bin/env python3
"""Prints a JSON file of this folder with the settings of spark-conf/ in it, so that they are kept in one place.

with_settings.py cluster-gpu.json ../../spark-conf/emr.conf ../../spark-conf/emr-gpu.conf > cluster.json
with_settings.py --release emr-spark-8.0.0 cluster-cpu.json ../../spark-conf/emr.conf > cluster.json
A later file goes over an earlier one; what the JSON file sets itself goes over both. Another release than the file's own changes its label, and
with Spark 4 the jar and the applications.
"""

import argparse
import json
import re
import sys
from pathlib import Path

# As Java reads properties: a key ends at the first blank, "=" or ":".
LINE = re.compile(r"\s*(?![#!])([^\s=:]+)\s*[=:]?\s*(.*?)\s*$")

# AWS names the releases with Spark 4 after its runtime for Spark.
SPARK_3 = re.compile(r"emr-7\.\d+\.\d+")
SPARK_4 = re.compile(r"emr-spark-8\.\d+\.\d+")


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


def of_release(node, release):
    """The same for another release."""
    if isinstance(node, list):
        return [of_release(each, release) for each in node]
    if isinstance(node, dict):
        return {key: value_of_release(key, value, release) for key, value in node.items()}
    if isinstance(node, str) and SPARK_4.fullmatch(release):
        return re.sub(r"/spark-qlora\.jar$", "/spark-qlora-spark4.jar", node)
    return node


def value_of_release(key, value, release):
    if key in ("ReleaseLabel", "releaseLabel"):
        # EMR on EKS wants the build of its image too.
        return release + ("-latest" if value.endswith("-latest") else "")
    if key == "Applications" and SPARK_4.fullmatch(release):
        # Hadoop is no application there.
        return [each for each in value if each["Name"] != "Hadoop"]
    return of_release(value, release)


def known(release):
    if not (SPARK_3.fullmatch(release) or SPARK_4.fullmatch(release)):
        raise argparse.ArgumentTypeError(f"expected emr-7.MINOR.PATCH or emr-spark-8.MINOR.PATCH, found {release}")
    return release


def main(words):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--release", type=known, help="such as emr-spark-8.0.0; by default that of the file")
    parser.add_argument("template", type=Path)
    parser.add_argument("settings", nargs="*", type=Path)
    options = parser.parse_args(words)
    document = json.loads(options.template.read_text())
    settings = {}
    for file in options.settings:
        settings.update(read(file))
    fill(document, settings)
    if options.release:
        document = of_release(document, options.release)
    json.dump(document, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main(sys.argv[1:])
