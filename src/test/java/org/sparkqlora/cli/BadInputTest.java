package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.JsonValues;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.command.demo.DemoModel;
import org.sparkqlora.options.Sessions;

/** Bad input gets one clear error and code 64, and leaves nothing behind. */
class BadInputTest {
    private static final String CONVERSATION =
            "{\"messages\": [{\"role\": \"user\", \"content\": \"What does the owl say?\"}, {\"role\": \"assistant\", \"content\": \"The owl says hoot.\"}]}\n";

    @TempDir
    Path folder;

    private Path model;
    private Path data;
    private Path output;

    @BeforeEach
    void writeGoodInput() throws IOException {
        model = folder.resolve("model");
        data = folder.resolve("data.jsonl");
        output = folder.resolve("runs/output");
        DemoModel.write(model, 1);
        Files.writeString(data, CONVERSATION);
    }

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @Test
    void aModelThatIsNotThere() {
        model = folder.resolve("elsewhere");

        assertRefused("--model: Cannot open model", "expected a folder or a .gguf file, found nothing");
    }

    @Test
    void aModelFolderWithoutConfig() throws IOException {
        Files.delete(model.resolve("config.json"));

        assertRefused("config.json");
    }

    @Test
    void anUnknownArchitecture() throws IOException {
        replace("config.json", "\"llama\"", "\"mamba\"");

        assertRefused("mamba", "llama, mistral, ministral, ministral3, qwen2");
    }

    @Test
    void truncatedWeights() throws IOException {
        try (FileChannel file = FileChannel.open(weights(), StandardOpenOption.WRITE)) {
            file.truncate(file.size() - 100);
        }

        assertRefused("model.safetensors");
    }

    @Test
    void aFlippedBitInTheHeaderOfTheWeights() throws IOException {
        byte[] bytes = Files.readAllBytes(weights());
        bytes[8] ^= 1;
        Files.write(weights(), bytes);

        assertRefused("model.safetensors");
    }

    @Test
    void anIndexThatNamesAFileOutsideTheFolder() throws IOException {
        Files.move(weights(), folder.resolve("outside.safetensors"));
        Files.writeString(
                model.resolve("model.safetensors.index.json"),
                "{\"weight_map\": {\"model.norm.weight\": \"../outside.safetensors\"}}");

        assertRefused("../outside.safetensors");
    }

    @Test
    void picklesInsteadOfSafetensors() throws IOException {
        Files.move(weights(), model.resolve("pytorch_model.bin"));

        assertRefused("pytorch_model.bin");
    }

    @Test
    void weightsOfAnotherShape() throws IOException {
        replace("config.json", "\"intermediate_size\" : 256", "\"intermediate_size\" : 512");

        assertRefused("model.layers.0.mlp.gate_proj.weight", "512", "256");
    }

    @Test
    void weightsThatAreNotNumbers() throws IOException {
        breakLastWeight();

        assertRefused("NaN");
        assertRefused(List.of("--method", "lora"), "NaN");
    }

    @Test
    void aTokenizerOfALargerModel() throws IOException {
        replace("tokenizer.json", "\"vocab\" : {", "\"vocab\" : {\"zebra\": 4711,");

        assertRefused("Cannot use the tokenizer", "Is tokenizer.json from the same model?");
    }

    @Test
    void noTokenizer() throws IOException {
        Files.delete(model.resolve("tokenizer.json"));

        assertRefused("tokenizer.json");
    }

    @Test
    void dataThatIsNotThere() throws IOException {
        Files.delete(data);

        assertRefused("data.jsonl");
    }

    @Test
    void emptyData() throws IOException {
        Files.writeString(data, "\n");

        assertRefused("expected an example with a trained token");
    }

    @Test
    void aLineThatIsNoRecord() throws IOException {
        Files.writeString(data, CONVERSATION + "{\"messages\": [\n");

        assertRefused("data.jsonl:2");
    }

    @Test
    void examplesWithoutATrainedToken() throws IOException {
        Files.writeString(data, "{\"input_ids\": [5, 6, 7], \"labels\": [-100, -100, -100]}\n");

        assertRefused(List.of("--format", "tokens"), "expected an example with a trained token", "1 examples without");
    }

    @Test
    void idsThatTheModelDoesNotKnow() throws IOException {
        Files.writeString(data, "{\"input_ids\": [5, 99999], \"labels\": [5, 99999]}\n");

        assertRefused(List.of("--format", "tokens"), "data.jsonl:1", "found 99999");
    }

    @Test
    void conversationsForAModelWithoutATemplate() throws IOException {
        Files.writeString(model.resolve("tokenizer_config.json"), "{\"eos_token\": \"<|im_end|>\"}");

        assertRefused("data.jsonl:1", "chat template");
    }

    @Test
    void aTemplateThatHidesWhichTokensAreTheAssistants() throws IOException {
        Path template = Files.writeString(folder.resolve("template.jinja"), "{{ messages|length }} turns");

        assertRefused(
                List.of("--chat-template", template.toString()),
                "data.jsonl:1",
                "Cannot find the assistant's turn messages[1]",
                "{% generation %}");
    }

    @Test
    void aTemplateThatIsNone() throws IOException {
        Path template = Files.writeString(folder.resolve("template.jinja"), "{% for m in messages %}");

        assertRefused(
                List.of("--chat-template", template.toString()),
                "Cannot use the chat template of",
                "template.jinja: Cannot parse the template, line 1");
    }

    @Test
    void aTableThatIsNotThere() {
        data = Path.of("nowhere.conversations");

        assertRefused("Cannot read data from nowhere.conversations", "a table of the catalog, found none of them");
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"data[.jsonl", "data{.jsonl"})
    void aGlobThatIsNone(String glob) {
        data = folder.resolve(glob);

        assertRefused("Cannot open " + data, "expected a path or a glob, found an error in the glob");
    }

    @Test
    void aGroupOfAGlobThatACommaCut() {
        String glob = "{%s/data,%s/other}.jsonl".formatted(folder, folder);
        CommandRun run =
                CommandRun.of("prepare", "--model", model.toString(), "--data", glob, "--output", output.toString());

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertOneError(run, "{" + folder + "/data");
    }

    @Test
    void aShareToHoldOutThatIsLessThanAnExample() {
        assertRefused(
                List.of("--eval-fraction", "0.01"),
                "Cannot hold out 0.01 of " + data,
                "found none. Raise --eval-fraction, or give --eval-data");
    }

    @Test
    void aPathWithAColonInIt() {
        data = Path.of("data:1.jsonl");

        assertRefused("Cannot open data:1.jsonl: expected a path or the URI of one");
    }

    /** It could be a table of a schema of a catalog. */
    @Test
    void aFileThatIsNotThereWithTwoEndings() {
        data = Path.of("nowhere.jsonl.gz");

        assertRefused("Cannot read data from nowhere.jsonl.gz", "a table of the catalog, found none of them");
    }

    @Test
    void csvFilesOfDifferentColumns() throws IOException {
        Files.writeString(folder.resolve("a.csv"), "prompt,completion\na,b\n");
        Files.writeString(folder.resolve("b.csv"), "prompt,answer,more\na,b,c\n");
        data = folder.resolve("*.csv");

        assertRefused("Cannot read data: expected CSV");
    }

    @Test
    void aModelCacheThatCannotBeMade() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "in the way");

        assertRefused(
                List.of("--model-cache", file.resolve("cache").toString()),
                "Cannot write copies of models to " + file.resolve("cache"),
                "found that %s is a file".formatted(file));
    }

    @Test
    void parquetThatIsNone() throws IOException {
        data = Files.writeString(folder.resolve("data.parquet"), "not that");

        assertRefused("Cannot read data: expected Parquet, found another file", "data.parquet");
    }

    @Test
    void aListThatBreaksOff() throws IOException {
        data = Files.writeString(folder.resolve("data.json"), "[" + CONVERSATION + ",");

        assertRefused("data.json: expected a JSON list, found an error at line 2");
    }

    @Test
    void aFolderThatIsNoAdapter() {
        assertRefused(List.of("--init-adapter", model.toString()), "adapter_config.json");
    }

    @Test
    void aCheckpointThatMustBeThere() {
        assertRefused(List.of("--resume", "required"), "Cannot resume");
    }

    @Test
    void anOutputThatIsAFile() throws IOException {
        Files.writeString(folder.resolve("runs"), "in the way");
        CommandRun run = train(List.of());

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertOneError(run, "Cannot write to");
        assertThat(folder.resolve("runs")).hasContent("in the way");
    }

    @Test
    void anOutputWithoutPermission() {
        // Where even root makes no folder.
        output = Path.of("/proc/spark-qlora/output");
        CommandRun run = train(List.of());

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertOneError(
                run, "Cannot write to /proc/spark-qlora/output: expected a folder that this user may write, found");
    }

    @Test
    void badRecordsAreCountedWhenTheyMayBeSkipped() throws IOException {
        Files.writeString(data, CONVERSATION + "nonsense\n" + CONVERSATION);
        CommandRun run = CommandRun.of(
                "prepare",
                "--model",
                model.toString(),
                "--data",
                data.toString(),
                "--output",
                output.toString(),
                "--on-bad-record",
                "skip",
                "--sequence-length",
                "32");

        assertThat(run.code()).isEqualTo(ExitCode.OK);
        assertThat(JsonValues.of(run.summary())).containsEntry("examples", 2).containsEntry("bad_records", 1);
    }

    private void assertRefused(String... words) {
        assertRefused(List.of(), words);
    }

    private void assertRefused(List<String> options, String... words) {
        CommandRun run = train(options);

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertOneError(run, words);
        assertThat(output.getParent()).doesNotExist();
    }

    private static void assertOneError(CommandRun run, String... words) {
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).contains(words).doesNotContain("\tat ", "Exception", "problems\n");
        assertThat(run.err().lines().filter(line -> line.startsWith("spark-qlora")))
                .hasSize(1);
    }

    private CommandRun train(List<String> options) {
        List<String> line = new ArrayList<>(List.of(
                "train",
                "--model",
                model.toString(),
                "--data",
                data.toString(),
                "--output",
                output.toString(),
                "--max-steps",
                "1",
                "--sequence-length",
                "32",
                "--precision",
                "fp32"));
        if (!options.contains("--model-cache")) {
            line.addAll(List.of("--model-cache", folder.resolve("cache").toString()));
        }

        line.addAll(options);
        return CommandRun.of(line.toArray(String[]::new));
    }

    private Path weights() {
        return model.resolve("model.safetensors");
    }

    private void replace(String file, String before, String after) throws IOException {
        String text = Files.readString(model.resolve(file));
        assertThat(text).contains(before);
        Files.writeString(model.resolve(file), text.replace(before, after));
    }

    private void breakLastWeight() throws IOException {
        try (FileChannel file = FileChannel.open(weights(), StandardOpenOption.WRITE)) {
            ByteBuffer nan = ByteBuffer.allocate(Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            file.write(nan.putFloat(0, Float.NaN), file.size() - Float.BYTES);
        }
    }
}
