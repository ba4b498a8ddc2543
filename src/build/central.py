"""Makes the bundle that Maven Central takes of jars that are built, and checks it against Central's rules. src/build/release calls it.

usage: central.py [--dry-run] [--pom POM] --url URL [--scm URL] [--developers NAMES] --target FOLDER

The jar holds its libraries, and its parent is no artifact of its own: so the POM is written anew, with what Central asks for, and of
dependencies those that a cluster brings. A jar for each line of Spark, named as Spark's own artifacts are, by the Scala that they are for.
With --dry-run a missing Javadoc is stood for, and a jar may be missing or a snapshot; the bundle is then for looking at.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import dataclass
from pathlib import Path

SUMS = ("md5", "sha1", "sha256", "sha512")
KINDS = (".pom", ".jar", "-sources.jar", "-javadoc.jar")
REPOSITORY = "repository"
BUNDLE = "-central.zip"
# Of one upload.
LARGEST = 1024**3
BAD_CONFIGURATION = 64
NAMESPACE = "http://maven.apache.org/POM/4.0.0"
LONG_AGO = (1980, 1, 1, 0, 0, 0)
REQUIRED = (
    "groupId artifactId version name description url licenses/license/name licenses/license/url developers/developer/name scm/connection scm/url"
).split()


@dataclass(frozen=True)
class Line:
    """A line of Spark: the artifact, where its build leaves files, and its sources beside those of all."""

    artifact: str
    built: Path
    name: str
    scala: str
    profile: str | None
    sources: tuple[str, ...]


LINES = (
    Line("spark-qlora-spark3_2.12", Path("target"), "spark-qlora", "2.12", None, ("java", "spark3", "bigdl")),
    Line("spark-qlora-spark4_2.13", Path("target/spark4"), "spark-qlora-spark4", "2.13", "spark4", ("java", "spark4")),
)


def refuse(reason):
    print(f"Cannot make a bundle for Central: {reason}", file=sys.stderr)
    sys.exit(BAD_CONFIGURATION)


class Project:
    """What pom.xml says."""

    def __init__(self, file, *, dry):
        self.root = ET.parse(file).getroot()
        version = self.text("version") or self.text("parent/version") or ""
        if version.endswith("-SNAPSHOT") and not dry:
            refuse(f"expected the version of a release in {file}, found {version}")
        self.version = version.removesuffix("-SNAPSHOT")
        self.group = self.text("groupId") or self.text("parent/groupId")

    def text(self, path):
        return self.root.findtext("/".join(f"{{{NAMESPACE}}}{step}" for step in path.split("/")))

    def property(self, name, profile):
        """A property of the profile, or of all."""
        for each in self.root.iter(f"{{{NAMESPACE}}}profile"):
            if each.findtext(f"{{{NAMESPACE}}}id") == profile:
                found = each.findtext(f"{{{NAMESPACE}}}properties/{{{NAMESPACE}}}{name}")
                if found:
                    return found
        return self.text(f"properties/{name}")

    def pom(self, line, options):
        """The POM of a line of Spark, which needs no other."""
        spark = self.property("spark.version", line.profile)
        tree = {
            "modelVersion": "4.0.0",
            "groupId": self.group,
            "artifactId": line.artifact,
            "version": self.version,
            "packaging": "jar",
            "name": f"{self.text('name')} for Spark {spark.split('.')[0]}, Scala {line.scala}",
            "description": self.text("description"),
            "url": options.url,
            "licenses": {"license": {key: self.text(f"licenses/license/{key}") for key in ("name", "url")}},
            "developers": {"developer": {"name": options.developers or self.text("developers/developer/name"), "url": options.url}},
            "scm": {"connection": f"scm:git:{options.scm or options.url}", "url": options.scm or options.url},
            "dependencies": [provided(f"spark-{part}_{line.scala}", spark) for part in ("mllib", "sql")],
        }
        root = ET.Element("project", xmlns=NAMESPACE)
        grow(root, tree)
        ET.indent(root)
        return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def provided(artifact, version):
    return {"groupId": "org.apache.spark", "artifactId": artifact, "version": version, "scope": "provided"}


def grow(parent, tree):
    for name, value in tree.items():
        child = ET.SubElement(parent, name)
        if isinstance(value, dict):
            grow(child, value)
        elif isinstance(value, list):
            for each in value:
                grow(ET.SubElement(child, "dependency"), each)
        else:
            child.text = value


def write_sources(file, line):
    """What the jar was compiled from, with the same bytes for the same files."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as jar:
        for folder in (Path("src/main") / name for name in line.sources):
            for source in sorted(each for each in folder.rglob("*") if each.is_file()):
                jar.writestr(zipfile.ZipInfo(source.relative_to(folder).as_posix(), LONG_AGO), source.read_bytes(), zipfile.ZIP_DEFLATED)


def write_placeholder(file):
    with zipfile.ZipFile(file, "w") as jar:
        jar.writestr(zipfile.ZipInfo("README.md", LONG_AGO), "Stands for the Javadoc in a dry run.\n")


def gather(line, project, folder, options):
    """Puts the four files of an artifact into its folder; tells what is only stood for."""
    start = f"{line.artifact}-{project.version}"
    folder.mkdir(parents=True)
    (folder / f"{start}.pom").write_bytes(project.pom(line, options))
    shutil.copy(line.built / f"{line.name}.jar", folder / f"{start}.jar")
    write_sources(folder / f"{start}-sources.jar", line)
    javadoc = line.built / f"{line.name}-javadoc.jar"
    if javadoc.exists():
        shutil.copy(javadoc, folder / f"{start}-javadoc.jar")
    elif options.dry_run:
        write_placeholder(folder / f"{start}-javadoc.jar")
        print(f"Not checked: the Javadoc of {line.artifact}")
    else:
        refuse(f"expected {javadoc}, found none")


def sign(files):
    """By the default key of gpg, if it has one."""
    if shutil.which("gpg") is None or not subprocess.run(["gpg", "--list-secret-keys"], capture_output=True, check=True).stdout:
        print("Not signed: gpg has no secret key; Central takes only what is signed")
        return False
    for file in files:
        subprocess.run(["gpg", "--batch", "--yes", "--armor", "--detach-sign", str(file)], check=True)
    return True


def write_sums(files):
    for file in files:
        content = file.read_bytes()
        for sum_ in SUMS:
            file.with_name(f"{file.name}.{sum_}").write_text(hashlib.new(sum_, content).hexdigest())


def problems(folder, project, line, *, signed):
    """What Central would refuse in an artifact's folder."""
    for kind in KINDS:
        file = folder / f"{line.artifact}-{project.version}{kind}"
        if not file.is_file():
            yield f"{file.name} is missing"
            continue
        yield from sum_problems(file)
        if signed and subprocess.run(["gpg", "--verify", f"{file}.asc", str(file)], capture_output=True, check=False).returncode:
            yield f"{file.name} has no good signature"
        if kind.endswith(".jar") and not zipfile.is_zipfile(file):
            yield f"{file.name} is no jar"
    yield from pom_problems(folder / f"{line.artifact}-{project.version}.pom")


def sum_problems(file):
    for sum_ in SUMS:
        sibling = file.with_name(f"{file.name}.{sum_}")
        if not sibling.is_file() or sibling.read_text() != hashlib.new(sum_, file.read_bytes()).hexdigest():
            yield f"{file.name} has no right {sum_}"


def pom_problems(file):
    root = ET.parse(file).getroot()
    for path in REQUIRED:
        if not (root.findtext("/".join(f"{{{NAMESPACE}}}{step}" for step in path.split("/"))) or "").strip():
            yield f"{file.name} has no {path}"
    if root.find(f"{{{NAMESPACE}}}parent") is not None:
        yield f"{file.name} has a parent, which Central does not have"
    if "${" in file.read_text(encoding="utf-8") or "SNAPSHOT" in file.read_text(encoding="utf-8"):
        yield f"{file.name} names what is known in this project alone"


def empty(target):
    """Takes the place of an earlier bundle, and of nothing else. Returns where artifacts go."""
    earlier = list(target.iterdir()) if target.exists() else []
    for each in earlier:
        if each.name != REPOSITORY and not each.name.endswith(BUNDLE):
            refuse(f"expected nothing but an earlier bundle in {target}, found {each.name}")
    for each in earlier:
        if each.is_dir():
            shutil.rmtree(each)
        else:
            each.unlink()
    return target / REPOSITORY


def pack(root, bundle):
    """Jars are compressed already."""
    with zipfile.ZipFile(bundle, "w") as out:
        for file in sorted(each for each in root.rglob("*") if each.is_file()):
            out.write(file, file.relative_to(root))


def arguments():
    parser = argparse.ArgumentParser(prog="central.py", description=__doc__.splitlines()[0])
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--pom", default="pom.xml")
    parser.add_argument("--url", help="the project's page")
    parser.add_argument("--scm", help="the repository, if it is not at that page")
    parser.add_argument("--developers")
    parser.add_argument("--target", type=Path, required=True)
    return parser.parse_args()


def main():
    options = arguments()
    if not options.url:
        refuse("expected the project's page, -Dproject.url=https://..., found none")
    project = Project(options.pom, dry=options.dry_run)
    lines = [line for line in LINES if not options.dry_run or (line.built / f"{line.name}.jar").exists()]
    root = empty(options.target)
    folders = {line: root / project.group.replace(".", "/") / line.artifact / project.version for line in lines}
    for line, folder in folders.items():
        gather(line, project, folder, options)
    files = sorted(each for folder in folders.values() for each in folder.iterdir())
    signed = sign(files)
    write_sums(files)
    found = [problem for line, folder in folders.items() for problem in problems(folder, project, line, signed=signed)]
    bundle = options.target / f"spark-qlora-{project.version}{BUNDLE}"
    pack(root, bundle)
    if bundle.stat().st_size > LARGEST:
        found.append(f"{bundle.name} takes {bundle.stat().st_size} bytes; Central takes {LARGEST}")
    if not lines or found:
        refuse("; ".join(found) or "found no jar")
    print(f"Checked: {bundle} with {', '.join(line.artifact for line in lines)}")


if __name__ == "__main__":
    main()
