"""Checks the files of deploy/ by schemas of those who read them. Prints what is wrong; if nothing is, the arguments of each command
in them, a line of JSON each, once.

Arguments: the repository's folder, and the jar that this build made, below it.
"""

import copy
import json
import re
import subprocess
import sys
from pathlib import Path

import botocore.session
import kubernetes_validate
import yaml
from botocore.validate import ParamValidator
from databricks.bundles.jobs import Job
from kubeflow_spark_api.models import SparkV1beta2SparkApplication

# Of a pod, and so of the operator's fields, which spark-submit would take as settings.
FIELDS = {
    "spark.driver.memory": ("driver", "memory"),
    "spark.driver.memoryOverhead": ("driver", "memoryOverhead"),
    "spark.executor.memory": ("executor", "memory"),
    "spark.executor.memoryOverhead": ("executor", "memoryOverhead"),
    "spark.executor.instances": ("executor", "instances"),
    "spark.executor.cores": ("executor", "cores"),
}

# What each generation of EMR takes: its jar, and the applications of its release as far as the files could name them.
RELEASES = {"emr-7.13.0": "spark-qlora.jar", "emr-spark-8.0.0": "spark-qlora-spark4.jar"}
APPLICATIONS = {"emr-7.13.0": {"Hadoop", "Spark"}, "emr-spark-8.0.0": {"Spark"}}

# The keys that a bundle and its targets may have, as far as ours use them: there are no models of these.
OF_BUNDLES = {"bundle", "include", "workspace", "variables", "targets"}
OF_TARGETS = {"mode", "default", "workspace", "run_as", "variables"}

# The jars that builds make.
JARS = {"target/spark-qlora.jar", "target/spark4/spark-qlora-spark4.jar"}

# The image that each line of Spark begins with, and its version, which the applications name.
BASES = {
    "Dockerfile": r"apache/spark:(3\.5\.\d+)-scala2\.12-java17-ubuntu",
    "Dockerfile.spark4": r"apache/spark:(4\.0\.\d+)-scala2\.13-java17-ubuntu",
}

# Steps in which the images of the lines of Spark differ.
OF_A_LINE = re.compile(r"ARG |ADD |COPY .* /opt/spark-qlora/spark-qlora\.jar$")


class Check:
    def __init__(self, root, built):
        self.root = Path(root)
        self.built = built
        self.deploy = self.root / "deploy"
        self.problems = []
        self.commands = []

    def run(self):
        self.emr()
        self.databricks()
        self.kubernetes()
        for problem in self.problems:
            print(problem)
        # Releases and targets have most in common.
        for command in dict.fromkeys(map(json.dumps, self.commands)):
            print(command)
        sys.exit(bool(self.problems))

    def json(self, name, release, *settings):
        """A file of deploy/emr with settings in it, as its README says to make it."""
        emr = self.deploy / "emr"
        files = [str(self.root / "spark-conf" / file) for file in settings]
        command = [sys.executable, str(emr / "with_settings.py"), "--release", release, str(emr / name), *files]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    def settings(self, *files):
        """Settings as spark-submit would read the files one after the other."""
        found = {}
        for file in files:
            for line in (self.root / "spark-conf" / file).read_text().splitlines():
                if line.strip() and not line.startswith("#"):
                    key, value = line.split(maxsplit=1)
                    found[key] = value.strip()
        return found

    def expect(self, place, expected, found):
        if expected != found:
            self.problems.append(f"{place}: expected {expected}, found {found}")

    # EMR: by the models of AWS's own client

    def call(self, place, service, operation, arguments):
        model = botocore.session.get_session().get_service_model(service).operation_model(operation)
        report = ParamValidator().validate(arguments, model.input_shape)
        if report.has_errors():
            self.problems.append(f"{place}: {report.generate_report()}")

    def emr(self):
        for release, jar in RELEASES.items():
            self.clusters(release)
            self.jobs(release, jar)
        self.unknown_release()
        self.rights(self.deploy / "emr" / "iam-job-policy.json")

    def unknown_release(self):
        command = [sys.executable, str(self.deploy / "emr/with_settings.py"), "--release", "emr-8.0.0", "steps.json"]
        refusal = subprocess.run(command, capture_output=True, text=True)
        self.expect("with_settings.py --release emr-8.0.0", (2, True), (refusal.returncode, "emr-spark-8" in refusal.stderr))

    def clusters(self, release):
        for name, files in {"cluster-cpu.json": ["emr.conf"], "cluster-gpu.json": ["emr.conf", "emr-gpu.conf"]}.items():
            cluster = self.json(name, release, *files)
            self.call(name, "emr", "RunJobFlow", cluster)
            self.expect(name, release, cluster.get("ReleaseLabel"))
            unknown = {each["Name"] for each in cluster["Applications"]} - APPLICATIONS[release]
            self.expect(f"{name} of {release}", set(), unknown)
            defaults = [each for each in cluster["Configurations"] if each["Classification"] == "spark-defaults"]
            self.expect(name, [self.settings(*files)], [each["Properties"] for each in defaults])

    def jobs(self, release, jar):
        steps = self.json("steps.json", release)
        self.call("steps.json", "emr", "AddJobFlowSteps", {"JobFlowId": "j-0", "Steps": steps})
        for step in steps:
            words = step["HadoopJarStep"]["Args"]
            self.expect("steps.json", [jar], [Path(word).name for word in words if word.endswith(".jar")])
            self.commands.append(after_jar(words))
        application = self.json("serverless-application.json", release)
        arguments = {"clientToken": "1", **application}
        self.call("serverless-application.json", "emr-serverless", "CreateApplication", arguments)
        self.expect("serverless-application.json", release, application.get("releaseLabel"))
        job = self.json("serverless-job.json", release, "emr.conf")
        self.call("serverless-job.json", "emr-serverless", "StartJobRun", {"clientToken": "1", **job})
        self.entry("serverless-job.json", jar, job["jobDriver"]["sparkSubmit"])
        job = self.json("eks-job.json", release, "kubernetes.conf")
        self.call("eks-job.json", "emr-containers", "StartJobRun", {"clientToken": "1", **job})
        self.expect("eks-job.json", f"{release}-latest", job.get("releaseLabel"))
        self.entry("eks-job.json", jar, job["jobDriver"]["sparkSubmitJobDriver"])

    def entry(self, name, jar, driver):
        self.expect(name, jar, Path(driver["entryPoint"]).name)
        self.commands.append(driver["entryPointArguments"])

    def rights(self, file):
        """What is published stays."""
        for statement in json.loads(file.read_text())["Statement"]:
            places = statement["Resource"]
            published = [place for place in ([places] if isinstance(places, str) else places) if "/published/" in place]
            if published and any(action in ("s3:*", "s3:DeleteObject") for action in statement["Action"]):
                self.problems.append(f"{file.name}: {statement['Sid']} may delete {published}")

    # Databricks: by the classes of its bundles, which refuse what they do not know

    def databricks(self):
        folder = self.deploy / "databricks"
        bundle = yaml.safe_load((folder / "databricks.yml").read_text())
        parts = [yaml.safe_load(file.read_text()) for file in sorted((folder / "resources").glob("*.yml"))]
        variables = dict(bundle["variables"])
        for part in parts:
            variables.update(part.get("variables", {}))
        values = {name: variable["default"] for name, variable in variables.items()}
        self.expect("resources/settings.yml", self.settings("databricks.conf"), values["spark_conf"])
        self.expect("databricks.yml", set(), set(bundle) - OF_BUNDLES)
        for name, target in bundle["targets"].items():
            chosen = target.get("variables", {})
            self.expect(f"databricks.yml, {name}", set(), (set(target) - OF_TARGETS) | (set(chosen) - set(values)))
            self.target(name, parts, {**values, **chosen})
        self.expect("databricks.yml", 1, sum(target.get("default", False) for target in bundle["targets"].values()))

    def target(self, name, parts, values):
        """The Scala of the cluster is that of the jar."""
        scala = "scala2.13" if "spark4" in values["jar"] else "scala2.12"
        if not values["spark_version"].endswith(f"-{scala}"):
            self.problems.append(f"databricks.yml, {name}: {values['spark_version']} cannot run {values['jar']}")
        for part in parts:
            for job in part.get("resources", {}).get("jobs", {}).values():
                self.job(resolved(job, values))

    def job(self, job):
        try:
            Job.from_dict(job)
        except (TypeError, ValueError) as error:
            self.problems.append(f"qlora.job.yml: {error}")
        jars = {Path(library["jar"]) for task in job["tasks"] for library in task["libraries"]}
        started = {Path(each["new_cluster"]["spark_env_vars"]["SPARK_QLORA_JAR"]) for each in job["job_clusters"]}
        self.expect("qlora.job.yml", jars, started)
        if "${" in json.dumps(job):
            self.problems.append("qlora.job.yml: a variable has no value")
        parameters = {each["name"]: each["default"] for each in job["parameters"]}
        for task in job["tasks"]:
            words = task["spark_jar_task"]["parameters"]
            self.commands.append([re.sub(r"{{job\.parameters\.(\w+)}}", lambda m: parameters[m[1]], str(word)) for word in words])

    # Kubernetes

    def kubernetes(self):
        folder = self.deploy / "kubernetes"
        for manifest in yaml.safe_load_all((folder / "access.yaml").read_text()):
            try:
                kubernetes_validate.validate(manifest, "1.34", strict=True)
            except kubernetes_validate.ValidationError as error:
                self.problems.append(f"access.yaml: {error}")
        self.application(folder / "spark-application.yaml", "kubernetes.conf")
        self.application(folder / "spark-application-gpu.yaml", "kubernetes.conf", "kubernetes-gpu.conf")
        images = [self.dockerfile(folder / name) for name in BASES]
        for name, steps in zip(BASES, images, strict=True):
            self.base(name, steps, folder.glob("spark-application*.yaml"))
        expected, found = ([step for step in steps if not OF_A_LINE.match(step)] for steps in images)
        self.expect("Dockerfile.spark4", expected, found)

    def application(self, file, *settings):
        application = yaml.safe_load(file.read_text())
        self.problems += [f"{file.name}: {problem}" for problem in operator_problems(application)]
        spec = application["spec"]
        found = {key: str(spec[part][field]) for key, (part, field) in FIELDS.items()}
        self.expect(file.name, self.settings(*settings), {**found, **spec["sparkConf"]})
        self.commands.append(spec["arguments"])
        if "deps" in spec:
            self.problems.append(f"{file.name}: a pod would fetch {spec['deps']} when it starts")

    def base(self, name, steps, applications):
        base = re.fullmatch(f"ARG SPARK_IMAGE={BASES[name]}", next(step for step in steps if step.startswith("ARG ")))
        if not base:
            self.problems.append(f"{name}: its base is not of {BASES[name]}")
            return
        for application in applications:
            if base[1] not in application.read_text():
                self.problems.append(f"{application.name}: names no Spark {base[1]}, which {name} has")

    def dockerfile(self, file):
        """Its steps, without comments."""
        lint = subprocess.run([Path(sys.executable).with_name("hadolint"), str(file)], capture_output=True, text=True)
        if lint.returncode:
            self.problems.append(f"{file.name}: {lint.stdout}{lint.stderr}")
        steps = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
        for line in steps:
            if line.startswith("ADD ") and not re.search(r"--checksum=sha256:[0-9a-f]{64} ", line):
                self.problems.append(f"{file.name}: {line} has no checksum")
            if line.startswith("COPY "):
                *sources, _ = [word for word in line.split()[1:] if not word.startswith("--")]
                # The jar of the other line is of another build.
                here = [name for name in sources if name not in JARS or name == self.built]
                self.problems += [f"{file.name}: {name} is not there" for name in here if not (self.root / name).exists()]
        return steps


def after_jar(words):
    return words[next(i for i, word in enumerate(words) if word.endswith(".jar")) + 1 :]


def resolved(node, values):
    """A part of a bundle with its variables filled in."""
    if isinstance(node, dict):
        return {key: resolved(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [resolved(value, values) for value in node]
    if not isinstance(node, str):
        return node
    whole = re.fullmatch(r"\${var\.(\w+)}", node)
    return values[whole[1]] if whole else re.sub(r"\${var\.(\w+)}", lambda match: str(values[match[1]]), node)


def operator_problems(application):
    """What the operator's models refuse, and what they do not know, which they leave out."""
    try:
        known = SparkV1beta2SparkApplication.from_dict(copy.deepcopy(application)).to_dict()
    except ValueError as error:
        return [str(error)]
    return list(lost(application, known, ""))


def lost(given, known, place):
    if isinstance(given, dict):
        for key, value in given.items():
            if not isinstance(known, dict) or key not in known:
                yield f"{place}/{key} is unknown"
            else:
                yield from lost(value, known[key], f"{place}/{key}")
    elif isinstance(given, list):
        for i, value in enumerate(given):
            yield from lost(value, known[i], f"{place}/{i}")


if __name__ == "__main__":
    Check(*sys.argv[1:]).run()
