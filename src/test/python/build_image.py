"""Takes the steps of a Dockerfile in a folder instead of an image: build_image.py DOCKERFILE CONTEXT ROOT.

ROOT holds what the base image would. Prints how a container of the image would start, as JSON: base, user, environment. Refuses an
instruction that it does not know.
"""

import hashlib
import io
import json
import shlex
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

from dockerfile_parse import DockerfileParser

REPOSITORY = "https://repo1.maven.org/maven2/"


def copy(words, context, root):
    options = [word for word in words if word.startswith("--")]
    *sources, target = [word for word in words if not word.startswith("--")]
    for source in sources:
        place = root / target.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if (context / source).is_dir():
            shutil.copytree(context / source, place, dirs_exist_ok=True)
        else:
            shutil.copy2(context / source, place / Path(source).name if target.endswith("/") else place)
        for option in options:
            name, _, value = option.partition("=")
            if name != "--chown":
                sys.exit(f"Cannot take COPY {option}: expected --chown")
            subprocess.run(["chroot", root, "chown", "--recursive", value, target], check=True)


def add(words, root):
    """A file of Maven's repository, from its local copy where there is one, if it has the checksum."""
    *options, url, target = words
    checksums = [option.split("sha256:")[1] for option in options if option.startswith("--checksum=sha256:")]
    if len(checksums) != 1 or not url.startswith(REPOSITORY):
        sys.exit(f"Cannot take ADD {url}: expected a file below {REPOSITORY} with its --checksum")
    local = Path.home() / ".m2/repository" / url.removeprefix(REPOSITORY)
    place = root / target.lstrip("/")
    place.mkdir(parents=True, exist_ok=True)
    file = place / local.name
    if local.exists():
        shutil.copy2(local, file)
    else:
        urllib.request.urlretrieve(url, file)
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if found != checksums[0]:
        sys.exit(f"Cannot take ADD {url}: expected checksum {checksums[0]}, found {found}")


def main(dockerfile, context, root):
    # By its content: the parser takes a path of no other name than Dockerfile.
    parser = DockerfileParser(fileobj=io.BytesIO(dockerfile.read_bytes()))
    user = "root"
    for step in parser.structure:
        match step["instruction"]:
            case "COMMENT" | "ARG" | "FROM" | "ENV":
                pass  # the parser's own: parser.baseimage, parser.envs
            case "COPY":
                copy(shlex.split(step["value"]), context, root)
            case "ADD":
                add(shlex.split(step["value"]), root)
            case "USER":
                user = step["value"]
            case other:
                sys.exit(f"Cannot take the step {other} of {dockerfile}: expected ARG, FROM, ENV, ADD, COPY or USER")
    print(json.dumps({"base": parser.baseimage, "user": user, "environment": parser.envs}))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
