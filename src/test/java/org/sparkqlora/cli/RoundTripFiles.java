package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.command.demo.DemoFolder;
import org.sparkqlora.run.output.RunFiles;

/** Models and adapters of the demo's language, made by our commands, and the job that the Python side gets. */
final class RoundTripFiles {
    static final List<String> PROMPTS = List.of(
            "What does the owl say?",
            "Where does the wolf live?",
            "Tell me what the donkey eats.",
            "Tell me where the seal lives.",
            "What does the cat eat?");
    static final int NEW_TOKENS = 20;
    static final String SEQUENCE_LENGTH = "64";
    static final String CLASSES = "classes";
    static final String CUT_TEXT = "<|tool|> What does<|end_tool|> the owl say?";

    private static final List<String> NEW_TOKENS_OF_THEIRS = List.of("<|a|>", "<|b|>", "<|c|>");

    private static final Map<String, Object> SAVED = Map.of(
            "target_modules", "all-linear", "modules_to_save", List.of("embed_tokens"), "ensure_weight_tying", true);
    private static final Map<String, Map<String, Object>> THEIR_ADAPTERS = Map.of(
            "lora", options(Map.of("target_modules", "all-linear")),
            "rslora", options(Map.of("target_modules", "all-linear", "use_rslora", true)),
            "pissa",
                    options(Map.of(
                            "target_modules",
                            "all-linear",
                            "init_lora_weights",
                            "pissa",
                            "rank_pattern",
                            Map.of("q_proj", 2))),
            "dora", options(Map.of("target_modules", List.of("q_proj", "down_proj"), "use_dora", true)),
            "saved", options(SAVED),
            "grown", options(SAVED));

    private final Path folder;
    private final DemoFolder demo;
    private final Map<String, RoundTripModel> losses = new LinkedHashMap<>();
    private final Map<String, RoundTripModel> answers = new LinkedHashMap<>();

    private RoundTripFiles(Path folder) {
        this.folder = folder;
        this.demo = new DemoFolder(folder.resolve("demo"), 42);
    }

    static RoundTripFiles make(Path folder) throws IOException {
        RoundTripFiles files = new RoundTripFiles(folder);
        files.teachBase();
        files.trainAdapters();
        files.writeFourBits();
        files.mergeAdapters();
        files.trainClassifier();
        files.answers.put("taught", RoundTripModel.stored(files.demo.base(), files.adapter("lora")));
        files.answers.put("untaught", RoundTripModel.stored(files.demo.untaught(), null));
        Files.write(files.rows(), files.rendered());
        return files;
    }

    /** A model of which both sides compute the loss. */
    RoundTripModel evaluated(String name) {
        return Objects.requireNonNull(losses.get(name), name);
    }

    /** A model that both sides ask. */
    RoundTripModel asked(String name) {
        return Objects.requireNonNull(answers.get(name), name);
    }

    /** The base with an adapter that the Python side made. */
    RoundTripModel theirAdapter(String name) {
        return RoundTripModel.stored(demo.base(), theirs(name));
    }

    Path base() {
        return demo.base();
    }

    Path data() {
        return demo.heldOutData();
    }

    /** Runs one of our commands, which must succeed. */
    static CommandRun run(List<String> line) {
        CommandRun run = CommandRun.of(line.toArray(String[]::new));
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        return run;
    }

    /** Writes what the Python side is to do. */
    Path writeJob() throws IOException {
        Map<String, Map<String, Object>> asked = entries(answers);
        asked.values().forEach(entry -> entry.putAll(Map.of("prompts", PROMPTS, "new_tokens", NEW_TOKENS)));
        Map<String, Object> job = new LinkedHashMap<>();
        job.put("rows", rows().toString());
        job.put("tokenizer", demo.base().toString());
        job.put("losses", entries(losses));
        job.put("answers", asked);
        job.put("adapters", adapterEntries());
        job.put(
                "classes",
                Map.of(
                        "model",
                        demo.base().toString(),
                        "adapter",
                        adapter(CLASSES).toString(),
                        "merged",
                        folder.resolve("merged-" + CLASSES).toString(),
                        "texts",
                        List.of(List.of(PROMPTS.get(0), 0), List.of(PROMPTS.get(1), 1), List.of(PROMPTS.get(2), 0)),
                        "output",
                        theirs(CLASSES).toString()));
        job.put("cut", Map.of("tokenizer", adapter("grown").toString(), "text", CUT_TEXT));
        Path file = folder.resolve("job.json");
        new ObjectMapper().writeValue(file.toFile(), job);
        return file;
    }

    private Map<String, Object> adapterEntries() {
        Map<String, Object> entries = new LinkedHashMap<>();
        String model = demo.base().toString();
        THEIR_ADAPTERS.forEach((name, options) -> entries.put(
                name,
                Map.of(
                        "model",
                        model,
                        "options",
                        options,
                        "tokens",
                        name.equals("grown") ? NEW_TOKENS_OF_THEIRS : List.of(),
                        "output",
                        theirs(name).toString())));
        return entries;
    }

    private void teachBase() {
        demo.writeInputs();
        train(
                demo.untaught(),
                demo.baseData(),
                demo.baseRun(),
                "--method",
                "full",
                "--max-steps",
                "60",
                "--batch-size",
                "16",
                "--learning-rate",
                "4e-3",
                "--optimizer",
                "adamw",
                "--max-grad-norm",
                "1");
        losses.put("base", RoundTripModel.stored(demo.base(), null));
    }

    private void trainAdapters() {
        trainAdapter("lora");
        trainAdapter("rslora", "--use-rslora");
        trainAdapter("dora", "--use-dora");
        trainAdapter("pissa", "--init-lora-weights", "pissa");
        trainAdapter("olora-dora", "--init-lora-weights", "olora", "--use-dora", "--use-rslora");
        trainAdapter("saved", "--modules-to-save", "lm_head");
        trainAdapter("apart", "--modules-to-save", "lm_head", "--no-weight-tying");
        trainAdapter("grown", "--modules-to-save", "embed_tokens", "--new-tokens", "<|tool|>,<|end_tool|>");
    }

    private void trainAdapter(String name, String... more) {
        List<String> options = new ArrayList<>(List.of(
                "--method", "lora", "--max-steps", "6", "--batch-size", "8", "--learning-rate", "1e-2", "--rank", "4"));
        options.addAll(List.of(more));
        train(demo.base(), demo.tuningData(), folder.resolve(name), options.toArray(String[]::new));
        losses.put(name, RoundTripModel.stored(demo.base(), adapter(name)));
    }

    private void trainClassifier() throws IOException {
        Files.write(
                labelled(),
                List.of(
                        "{\"text\": \"%s\", \"label\": 0}".formatted(PROMPTS.get(0)),
                        "{\"text\": \"%s\", \"label\": 1}".formatted(PROMPTS.get(1)),
                        "{\"text\": \"%s\", \"label\": 0}".formatted(PROMPTS.get(2))));
        train(
                demo.base(),
                labelled(),
                folder.resolve(CLASSES),
                "--method=lora",
                "--objective=classify",
                "--labels=says,lives",
                "--max-steps=4",
                "--learning-rate=1e-2");
        merge(demo.base(), adapter(CLASSES), "original", folder.resolve("merged-" + CLASSES));
    }

    /** Texts with their classes. */
    Path labelled() {
        return folder.resolve("labelled.jsonl");
    }

    private void writeFourBits() {
        Path output = folder.resolve("four-bits");
        run(List.of(
                "quantize",
                "--model",
                demo.base().toString(),
                "--output",
                output.toString(),
                "--max-shard-size",
                "100K")); // several files
        losses.put("four-bits", RoundTripModel.fourBits(output, null));
        losses.put("four-bits-lora", RoundTripModel.fourBits(output, adapter("lora")));
    }

    private void mergeAdapters() {
        merge(demo.base(), adapter("dora"), "original", folder.resolve("merged"));
        merge(demo.base(), adapter("lora"), "quantized", folder.resolve("merged-quantized"));
        merge(demo.base(), adapter("saved"), "original", folder.resolve("merged-saved"));
        losses.put("merged-saved", RoundTripModel.stored(folder.resolve("merged-saved"), null));
        for (String name : List.of("apart", "grown")) {
            Path merged = folder.resolve("merged-" + name);
            merge(demo.base(), adapter(name), "original", merged);
            losses.put("merged-" + name, RoundTripModel.stored(merged, null));
        }

        losses.put("merged", RoundTripModel.stored(folder.resolve("merged"), null));
        losses.put("merged-quantized", RoundTripModel.stored(folder.resolve("merged-quantized"), null));
    }

    /** Folds an adapter into a model. */
    static void merge(Path model, Path adapter, String base, Path output) {
        List<String> line = new ArrayList<>(List.of("merge", "--model", model.toString()));
        line.addAll(List.of("--adapter", adapter.toString(), "--base", base, "--output", output.toString()));
        run(line);
    }

    private static void train(Path model, Path data, Path output, String... more) {
        List<String> line = new ArrayList<>(List.of("train", "--model", model.toString(), "--data", data.toString()));
        line.addAll(List.of("--output", output.toString(), "--sequence-length", SEQUENCE_LENGTH));
        line.addAll(List.of("--micro-batch-size", "8", "--precision", "fp32"));
        line.addAll(List.of(more));
        run(line);
    }

    private List<String> rendered() {
        return run(List.of("inspect", data().toString(), "--model", demo.base().toString(), "--render"))
                .out();
    }

    Path adapter(String name) {
        return folder.resolve(name).resolve(RunFiles.ADAPTER);
    }

    private Path theirs(String name) {
        return folder.resolve("peft-" + name);
    }

    private Path rows() {
        return folder.resolve("rows.jsonl");
    }

    private static Map<String, Object> options(Map<String, Object> more) {
        Map<String, Object> options = new LinkedHashMap<>(more);
        options.put("r", 4);
        options.put("lora_alpha", 8);
        return options;
    }

    private static Map<String, Map<String, Object>> entries(Map<String, RoundTripModel> models) {
        Map<String, Map<String, Object>> entries = new LinkedHashMap<>();
        models.forEach((name, model) -> {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("model", model.model().toString());
            if (model.adapter() != null) {
                entry.put("adapter", model.adapter().toString());
            }

            entries.put(name, entry);
        });
        return entries;
    }
}
