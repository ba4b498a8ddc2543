package org.sparkqlora.command.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.cli.CommandRun;
import org.sparkqlora.cli.TrainRuns;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;

class PlanOptionsTest {
    @TempDir
    Path folder;

    private Path model;
    private Path data;
    private Path output;

    @BeforeEach
    void writeInput() throws IOException {
        model = folder.resolve("model");
        data = folder.resolve("data.jsonl");
        output = folder.resolve("output");
        TrainRuns.in(folder);
    }

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--max-steps 2",
                "--method full --weight-decay 0.1 --max-steps 1 --optimizer adamw --loraplus-ratio 1",
                "--method lora --rank 4 --alpha 7.5 --dropout 0.1 --target-modules q_proj,v_proj,up_proj --exclude-modules .*1.*up_proj"
                        + " --layers-to-transform 0,1 --rank-pattern q_proj=2 --alpha-pattern q_proj=3,v_proj=4.5"
                        + " --init-lora-weights gaussian --use-rslora --use-dora --modules-to-save embed_tokens,lm_head"
                        + " --no-weight-tying --resize-token-embeddings 120 --max-steps 1",
                "--quant fp4 --no-double-quant --precision bf16 --neftune-noise-alpha 5 --optimizer paged_lion_8bit"
                        + " --adam-beta1 0.8 --adam-beta2 0.98 --adam-epsilon 1e-7 --loraplus-ratio 4 --weight-decay 0.01"
                        + " --schedule cosine --learning-rate 1e-3 --warmup-steps 1 --max-grad-norm 1.5 --epochs 0.4"
                        + " --batch-size 5 --micro-batch-size 2 --no-shuffle --wire bf16 --seed 7"
            })
    void trainMakesThePlanAgain(String options) throws IOException {
        requireOk(train(output, options.split(" ", -1)));
        requireSamePlan();
    }

    /** Of a record that every objective can read. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "dpo --dpo-loss ipo,sft --loss-weights 1,0.5 --beta 0.2 --label-smoothing 0.1 --ld-alpha 0.5",
                "kto --kto-loss apo_zero_unpaired --desirable-weight 0.7 --undesirable-weight 1.2",
                "orpo --beta 0.3",
                "simpo --simpo-gamma 0.7 --cpo-alpha 0.2",
                "reward --center-rewards-coefficient 0.01",
                "classify --labels false,true",
                "classify --problem-type regression"
            })
    void anObjectiveIsPartOfThePlan(String objective) throws IOException {
        Files.writeString(data, """
                {"text": "An owl", "prompt": "Who?", "chosen": " An owl", "rejected": " No one", "completion": " I", "label": %s}
                """.formatted(objective.contains("regression") ? "0.5" : "true"));

        requireOk(train(output, ("--max-steps 1 --objective " + objective).split(" ", -1)));
        requireSamePlan();
    }

    @Test
    void anInitialAdapterIsPartOfThePlan() throws IOException {
        requireOk(train(folder.resolve("first"), "--max-steps", "1", "--rank", "2"));
        requireOk(train(
                output,
                "--max-steps",
                "1",
                "--init-adapter",
                folder.resolve("first/adapter").toString()));
        requireSamePlan();
    }

    @Test
    void aPlanWithoutItsRowsSaysThatDataIsMissing() throws IOException {
        requireOk(train(output, "--max-steps", "1"));
        Path plan = Files.copy(output.resolve("plan.json"), folder.resolve("kept.json"));

        CommandRun run = CommandRun.of("inspect", "--as-config", plan.toString());

        assertThat(run.code()).isEqualTo(ExitCode.OK);
        assertThat(run.out())
                .contains("# Nor are its data, of which a plan has only a fingerprint: give --data.", "  rank: 16")
                .doesNotContain("data:");
    }

    @Test
    void onlyAPlanIsPrinted() throws IOException {
        Path result = folder.resolve("result.json");
        CommandRun none = CommandRun.of("inspect", "--as-config", model.toString(), "--result", result.toString());

        assertThat(none.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(none.err())
                .isEqualTo("spark-qlora inspect: Cannot read %s: expected a plan, found nothing%n"
                        .formatted(model.resolve("plan.json")));
    }

    private void requireSamePlan() throws IOException {
        Path result = folder.resolve("result.json");
        CommandRun inspected =
                CommandRun.of("inspect", output.toString(), "--as-config", "--result", result.toString());
        requireOk(inspected);
        assertThat(Files.readString(result)).contains("\"code\":0").doesNotContain("summary");
        Path config = Files.write(folder.resolve("run.yaml"), inspected.out());
        Path again = folder.resolve("again");
        requireOk(CommandRun.of(
                "train",
                "--config",
                config.toString(),
                "--output",
                again.toString(),
                "--model-cache",
                folder.resolve("cache").toString()));

        assertThat(again.resolve("plan.json")).hasSameTextualContentAs(output.resolve("plan.json"));
        String weights =
                Files.exists(output.resolve("model")) ? "model/model.safetensors" : "adapter/adapter_model.safetensors";
        assertThat(again.resolve(weights)).hasSameBinaryContentAs(output.resolve(weights));
    }

    private static void requireOk(CommandRun run) {
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
    }

    private CommandRun train(Path to, String... options) {
        List<String> line = new ArrayList<>(List.of("train", "--model", model.toString(), "--data", data.toString()));
        line.addAll(List.of(
                "--output",
                to.toString(),
                "--model-cache",
                folder.resolve("cache").toString()));
        line.addAll(List.of("--sequence-length", "64", "--shards", "2"));
        line.addAll(List.of(options));
        return CommandRun.of(line.toArray(String[]::new));
    }
}
