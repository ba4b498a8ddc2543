"""The settings of spark-conf/, for services that take them as JSON."""

import re
from pathlib import Path


# As Java reads properties: a key ends at the first blank, "=" or ":".
LINE = re.compile(r"\s*(?![#!])([^\s=:]+)\s*[=:]?\s*(.*?)\s*$")


def read(paths: str) -> dict[str, str]:
    """Keys and values of properties files with commas between; a later file goes over an earlier one."""
    found = (LINE.match(line) for path in paths.split(",") for line in Path(path).read_text().splitlines())
    return {match[1]: match[2] for match in found if match}
