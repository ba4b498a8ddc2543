from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sparkqlora
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]
from referencing import Registry
from sparkqlora import foundation_model
from sparkqlora.errors import told_plainly
from sparkqlora.jvm import java_class

SCHEMAS = Path(__file__).parents[2] / "resources" / "openlineage"

pytestmark = pytest.mark.usefixtures("spark")


def test_a_plan_has_memory_by_method() -> None:
    plan = sparkqlora.plan(parameters="13B", rank=8)

    assert list(plan.methods) == ["full", "lora", "qlora"]
    assert (
        plan.methods["qlora"].executor_bytes < plan.methods["lora"].executor_bytes < plan.methods["full"].executor_bytes
    )
    assert plan.methods["qlora"].executor["quantization_constants"] > 0
    assert plan.methods["full"].fits["gpu_24_gb"] is False
    assert "<table>" in plan._repr_html_()


def test_all_that_is_wrong_is_told_at_once_and_without_a_stack() -> None:
    with pytest.raises(sparkqlora.BadInputError) as refused:
        sparkqlora.plan(parameters="7B", rank="many", colour="red")

    assert str(refused.value).splitlines() == [
        "2 problems",
        "  Cannot set colour: expected an option of plan, found no such",
        "  Invalid value for option '--rank': 'many' is not an int",
    ]
    assert refused.value.__suppress_context__


def test_what_is_no_model_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(sparkqlora.BadInputError, match=r"expected a folder or a .gguf file, found nothing"):
        sparkqlora.evaluate(tmp_path / "none", tmp_path)


def test_an_illegal_argument_of_another_library_may_succeed_again() -> None:
    with pytest.raises(sparkqlora.ResumableError, match="many"), told_plainly():
        java_class("java.lang.Integer").parseInt("many")


def test_a_class_that_is_not_there_names_the_jar() -> None:
    with pytest.raises(sparkqlora.QLoraError, match=r"expected spark-qlora.jar in spark.jars .* found .*[.]jar"):
        java_class("org.sparkqlora.NoSuchClass")


def test_an_adapter_is_judged_asked_and_merged(demo: Path, model: Path, tmp_path: Path) -> None:
    adapter = demo / "tuned" / "adapter"
    held_out = demo / "held-out.jsonl"

    before = sparkqlora.evaluate(model, held_out, sequence_length=64, precision="fp32")
    after = sparkqlora.evaluate(model, held_out, adapter, sequence_length=64, precision="fp32")
    answer = sparkqlora.generate(model, "What does the owl say?", adapter, max_new_tokens=24, precision="fp32")
    merged = sparkqlora.merge(model, adapter, tmp_path / "merged")
    small = sparkqlora.quantize(merged.output, tmp_path / "small")
    lora = sparkqlora.export(model, tmp_path / "tuned.gguf", adapter, adapter_only=True)

    assert after.loss < before.loss / 4
    assert answer.text.startswith("Arr!")
    assert merged.base == "original"
    assert sparkqlora.inspect(merged.output)["kind"] == "model"
    assert small.bytes_after < small.bytes_before
    assert Path(lora.output).read_bytes()[:4] == b"GGUF"
    assert (lora.outtype, lora.bytes) == ("f32", Path(lora.output).stat().st_size)


def test_prompts_that_are_asked_together_are_answered_as_each_alone(demo: Path, model: Path) -> None:
    adapter = demo / "tuned" / "adapter"
    prompts = ["What does the owl say?", "Where does\nthe wolf live?", "What does\u2028the cow say?"]

    together = sparkqlora.generate(model, prompts, adapter, max_new_tokens=12, precision="fp32")

    assert together == [
        sparkqlora.generate(model, prompt, adapter, max_new_tokens=12, precision="fp32") for prompt in prompts
    ]
    assert [answer.prompt for answer in together] == prompts
    assert together[0].text.startswith("Arr!")


def test_prompts_of_a_file_choose_among_adapters(demo: Path, model: Path, tmp_path: Path) -> None:
    asked = {"prompt": [{"role": "user", "content": "What does the owl say?"}]}
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text("".join(json.dumps({**asked, "adapter": name}) + "\n" for name in ("tuned", None, "__base__")))
    adapter = demo / "tuned" / "adapter"

    def generated(output: str, folders: dict[str, Path]) -> list[dict[str, Any]]:
        file = tmp_path / output
        sparkqlora.run(
            "generate", model=model, prompts=prompts, output=file, adapter=folders, precision="fp32", max_new_tokens=24
        )
        return [json.loads(line) for line in file.read_text().splitlines()]

    named = generated("named.jsonl", {"tuned": adapter})
    unnamed = generated("unnamed.jsonl", {"tuned": adapter, "": adapter})

    assert named[0]["text"].startswith("Arr!")
    assert [line["text"] == named[0]["text"] for line in named] == [True, False, False]
    assert [line["text"] == named[0]["text"] for line in unnamed] == [True, True, False]
    assert named[0]["adapter"] == "tuned"


def test_training_on_files_leaves_metrics(demo: Path, model: Path, tmp_path: Path) -> None:
    trained = sparkqlora.train(
        model,
        demo / "pirate.jsonl",
        tmp_path / "out",
        max_steps=3,
        batch_size=4,
        sequence_length=64,
        target_modules=["q_proj", "v_proj"],
        use_rslora=True,
    )

    steps = sparkqlora.metrics(tmp_path / "out")
    assert trained.steps == 3
    assert [step["step"] for step in steps] == [1, 2, 3]
    assert steps[-1]["loss"] == trained.last_loss
    assert sparkqlora.inspect(trained.adapter)["rslora"] is True


def test_a_run_of_databricks_goes_on_here(demo: Path, model: Path, tmp_path: Path) -> None:
    rows = [json.loads(line)["messages"] for line in (demo / "pirate.jsonl").read_text().splitlines()]
    data = tmp_path / "train.jsonl"
    data.write_text(
        "".join(json.dumps({"prompt": ask["content"], "response": say["content"]}) + "\n" for ask, say in rows)
    )

    trained = foundation_model.create(
        model,
        data,
        output=tmp_path / "out",
        task_type="INSTRUCTION_FINETUNE",
        training_duration="2ba",
        learning_rate="1e-3",
        context_length=64,
        eval_data_path=data,
        eval_prompts=["What does the owl say?"],
        rank=4,
    )

    plan = json.loads((tmp_path / "out" / "plan.json").read_text())
    samples = [json.loads(line) for line in (tmp_path / "out" / "samples.jsonl").read_text().splitlines()]
    assert trained.steps == 2
    assert sparkqlora.metrics(tmp_path / "out")[-1]["learning_rate"] == 1e-3
    assert plan["lora"]["rank"] == 4
    assert samples
    assert all(sample["prompt"] == [{"role": "user", "content": "What does the owl say?"}] for sample in samples)


def test_an_experiment_of_databricks_is_one_of_the_tracking_server(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, object] = {}
    monkeypatch.setattr(foundation_model, "train", lambda *_, **options: asked.update(options))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://localhost:5000")
    foundation_model.create(model, "main.llm.owls", output=tmp_path, experiment_path="/Users/owl/runs")
    assert asked["mlflow"] == "http://localhost:5000"
    assert asked["mlflow_experiment"] == "/Users/owl/runs"

    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    with pytest.raises(sparkqlora.BadInputError, match="experiment_path: expected the address of an MLflow server"):
        foundation_model.create(model, "main.llm.owls", output=tmp_path, experiment_path="/Users/owl/runs")


def test_what_databricks_took_and_this_does_not_is_told_with_the_way_out(model: Path, tmp_path: Path) -> None:
    with pytest.raises(sparkqlora.BadInputError) as refused:
        foundation_model.create(
            model,
            "mosaicml/dolly_hhrlhf/train",
            "main.llm",
            output=tmp_path / "out",
            task_type="RANKING",
            training_duration="1_000_000tok",
            custom_weights_path="dbfs:/Volumes/main/llm/checkpoint",
            data_prep_cluster_id="0123-456789-abcdefgh",
            validate_inputs=False,
        )

    told = [line.strip().partition(":")[0] for line in str(refused.value).splitlines()]
    assert told == [
        "Cannot create a run",
        "custom_weights_path",
        "data_prep_cluster_id",
        "validate_inputs",
        "task_type",
        "train_data_path",
        "training_duration",
        "register_to",
    ]
    assert "init_adapter=FOLDER" in str(refused.value)
    assert "MLFLOW_REGISTRY_URI" in str(refused.value)


def test_events_of_a_run_are_those_of_openlineage(demo: Path, model: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    sparkqlora.train(model, demo / "pirate.jsonl", tmp_path / "out", max_steps=1, sequence_length=64, lineage=events)
    broken = tmp_path / "broken.jsonl"
    broken.write_text((demo / "pirate.jsonl").read_text() + "{\n")
    with pytest.raises(sparkqlora.BadInputError):
        sparkqlora.train(model, broken, tmp_path / "broken", max_steps=1, sequence_length=64, lineage=events)

    told = [json.loads(line) for line in events.read_text().splitlines()]
    schemas = {
        schema["$id"]: schema for schema in map(json.loads, (path.read_text() for path in SCHEMAS.glob("*.json")))
    }
    registry = Registry().with_contents(schemas.items())

    def check(value: dict[str, Any], url: str) -> None:
        assert url.partition("#")[0] in schemas
        Draft202012Validator({"$ref": url}, registry=registry, format_checker=FormatChecker()).validate(value)

    assert [event["eventType"] for event in told] == ["START", "COMPLETE", "START", "FAIL"]
    for event in told:
        check(event, event["schemaURL"])
        for part in [event["run"], event["job"], *event["inputs"], *event.get("outputs", [])]:
            for facets in (part.get(kind, {}) for kind in ("facets", "inputFacets", "outputFacets")):
                for name, facet in facets.items():
                    check({name: facet}, facet["_schemaURL"].partition("#")[0])


def test_a_table_is_html_for_a_notebook_and_columns_for_a_terminal() -> None:
    table = sparkqlora.Table(["", "a<b"], [["loss", "1.25"], ["tokens", "7"]])

    assert str(table).splitlines() == ["         a<b", "loss    1.25", "tokens     7"]
    assert "a&lt;b" in table._repr_html_()


def test_values_of_another_kind_are_told_together(model: Path, tmp_path: Path) -> None:
    with pytest.raises(sparkqlora.BadInputError) as refused:
        foundation_model.create(
            model,
            "main.llm.owls",
            output=tmp_path / "out",
            training_duration=3,  # type: ignore[arg-type]
            learning_rate="fast",
            eval_prompts="What does the owl say?",
        )

    assert str(refused.value).splitlines() == [
        "Cannot create a run: 3 problem(s)",
        "  training_duration: expected epochs or batches, such as 3ep or 100ba, found 3",
        "  learning_rate: expected a number, such as 1e-4, found fast",
        "  eval_prompts: expected a list of texts, found the text What does the owl say?",
    ]


def test_an_option_that_ends_in_another_result_is_refused(demo: Path, model: Path, tmp_path: Path) -> None:
    data = demo / "pirate.jsonl"
    with pytest.raises(sparkqlora.BadInputError, match=r"found dry_run. run\('train', ...\) takes it"):
        sparkqlora.train(model, data, tmp_path / "out", dry_run=True)
    with pytest.raises(sparkqlora.BadInputError, match=r"found for. run\('export', ...\) takes it"):
        sparkqlora.export(model, tmp_path / "out", **{"for": "vllm"})

    asked = sparkqlora.run("train", model=model, data=data, output=tmp_path / "out", sequence_length=64, dry_run=True)
    assert asked["dry_run"] is True
    assert not (tmp_path / "out").exists()


def test_prompts_are_texts(model: Path) -> None:
    prompts: list[Any] = ["What does the owl say?", 3]
    with pytest.raises(sparkqlora.BadInputError, match=r"prompt\[1\]: expected a text, found 3"):
        sparkqlora.generate(model, prompts)

    assert sparkqlora.generate(model, []) == []
