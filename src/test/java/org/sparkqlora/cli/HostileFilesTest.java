package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.ChildJvm;
import org.sparkqlora.checkpoint.AdapterConfig;
import org.sparkqlora.checkpoint.AdapterConfigJson;
import org.sparkqlora.checkpoint.AdapterFolder;
import org.sparkqlora.checkpoint.CheckpointStore;
import org.sparkqlora.data.ChatMessage;
import org.sparkqlora.data.ChatTemplate;
import org.sparkqlora.data.ExampleJson;
import org.sparkqlora.data.RecordReading;
import org.sparkqlora.data.jinja.Template;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.storage.LocalFiles;
import org.sparkqlora.tokenizer.EncodedExample;
import org.sparkqlora.tokenizer.TestTokenizers;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.tokenizer.packing.TokenRowCodec;
import org.sparkqlora.train.TrainFixture;
import org.sparkqlora.train.TrainPlanJson;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.ModelConfigJson;
import org.sparkqlora.weights.gguf.GgufSummary;
import org.sparkqlora.weights.safetensors.SafetensorsFile;

/**
 * Model files are whatever someone put on a hub. Each of many damaged ones is read, or refused by one of our own messages: no other
 * exception, no second of work and no memory beyond what a file of a few kilobytes explains. {@code -Dfuzz.files=10000000
 * -Dsurefire.timeout=14400} reads more.
 */
class HostileFilesTest {
    private static final Path GOLDENS = Path.of("src", "test", "resources", "goldens");
    private static final Path LLAMA = GOLDENS.resolve("models/llama-tied");
    private static final int FILES = Integer.getInteger("fuzz.files", 12_000);

    /** Of Java's heap, over the whole reading of one file; Jackson's trees take tens of bytes for each of a file. */
    private static final long MOST_BYTES = 64L << 20;

    /** Of the processor, whatever else the machine does. */
    private static final long LONGEST_SECONDS = 1;

    /** Files mapped at once are limited by the system, and freed by the collector. */
    private static final int FILES_A_COLLECTION = 5_000;

    @TempDir
    private static Path folder;

    /** Reads a damaged file. */
    private interface Reader {
        void read(byte[] damaged) throws IOException;
    }

    /**
     * A kind of file.
     *
     * @param text whether it is one
     * @param share of all files
     */
    private record Kind(String name, byte[] file, boolean text, double share, Reader reader) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Kind> kinds() throws IOException {
        return Stream.of(
                binary(
                        "safetensors",
                        GOLDENS.resolve("bnb-4bit/nf4_dq_bf16_30x50.safetensors"),
                        0.3,
                        bytes -> readTensors(written("one.safetensors", bytes))),
                model("model.safetensors", "weights", 0.1, false),
                model("config.json", "config", 0.1, true),
                sharded(),
                binary(
                        "gguf",
                        GOLDENS.resolve("gguf/models/llama3.gguf"),
                        0.15,
                        bytes -> GgufSummary.of(written("one.gguf", bytes))),
                adapter(),
                text(
                        "adapter config",
                        LLAMA.resolve("adapter/adapter_config.json"),
                        0.05,
                        text -> AdapterConfigJson.parse("adapter_config.json", text)),
                record(
                        "messages",
                        "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"}]}"),
                record("tokens", "{\"input_ids\":[1,2,3],\"labels\":[-100,2,3]}"),
                record(
                        "conversations",
                        "{\"conversations\":[{\"from\":\"human\",\"value\":\"a\"},{\"from\":\"gpt\",\"value\":\"b\"}]}"),
                record(
                        "alpaca",
                        "{\"instruction\":\"a\",\"input\":\"b\",\"output\":\"c\",\"history\":[[\"d\",\"e\"]],\"system\":\"f\"}"),
                record(
                        "prompt-completion",
                        "{\"prompt\":[{\"role\":\"user\",\"content\":\"a\"}],\"completion\":[{\"role\":\"assistant\",\"content\":\"b\"}],\"tools\":[{\"name\":\"f\"}]}"),
                manifest(),
                rows(),
                plan(),
                checkpoint("commit", name -> name.endsWith(".json"), 0.03),
                checkpoint("state", name -> name.equals("state.bin"), 0.03),
                template());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kinds")
    void damagedFilesAreReadOrRefused(Kind kind) throws IOException {
        kind.reader().read(kind.file());
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int refused = 0;
        for (int seed = 0; seed < FILES * kind.share(); seed++) {
            Mutation mutation = new Mutation(new SplittableRandom(seed));
            byte[] damaged = kind.text() ? mutation.ofText(kind.file()) : mutation.of(kind.file());
            long start = threads.getCurrentThreadCpuTime();
            long before = threads.getCurrentThreadAllocatedBytes();
            refused += refused(kind, seed, damaged);
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            assertThat(allocated).as("bytes taken, %s, seed %d", kind, seed).isLessThan(MOST_BYTES);
            assertThat(threads.getCurrentThreadCpuTime() - start)
                    .as("nanoseconds of work, %s, seed %d", kind, seed)
                    .isLessThan(TimeUnit.SECONDS.toNanos(LONGEST_SECONDS));
            if (seed % FILES_A_COLLECTION == FILES_A_COLLECTION - 1) {
                System.gc();
            }
        }

        assertThat(refused).as("files refused").isGreaterThan((int) (FILES * kind.share() / 10));
    }

    /** 1 if the file was refused, 0 if it was read. */
    private static int refused(Kind kind, int seed, byte[] damaged) throws IOException {
        try {
            kind.reader().read(damaged);
            return 0;
        } catch (IllegalArgumentException e) {
            assertThat(e.getMessage())
                    .as("%s, seed %d: %s", kind, seed, e)
                    .matches(text -> text != null && text.startsWith("Cannot ")
                            || text != null && text.startsWith("Unsupported "));
            return 1;
        } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
            throw new AssertionError("%s, seed %d: no message of ours".formatted(kind, seed), e);
        }
    }

    private static void readTensors(Path file) {
        SafetensorsFile opened = SafetensorsFile.open(file);
        for (String name : opened.names()) {
            opened.tensor(name).byteSize();
        }
    }

    /** A file of a whole model folder. */
    private static Kind model(String file, String name, double share, boolean text) throws IOException {
        Path model = copy(LLAMA.resolve("base"), name);
        return new Kind(name, Files.readAllBytes(model.resolve(file)), text, share, bytes -> {
            rewrite(model.resolve(file), bytes);
            try (WeightFolder opened = WeightFolder.open(model)) {
                opened.checkShapes();
            }
        });
    }

    private static Kind sharded() throws IOException {
        Path model = copy(GOLDENS.resolve("models/llama-sharded/base"), "index");
        Path index = model.resolve("model.safetensors.index.json");
        return new Kind("index", Files.readAllBytes(index), true, 0.05, bytes -> {
            rewrite(index, bytes);
            WeightFolder.open(model).close();
        });
    }

    private static Kind adapter() throws IOException {
        Path adapter = copy(LLAMA.resolve("adapter"), "adapter");
        Path weights = adapter.resolve("adapter_model.safetensors");
        FileSystem files = LocalFiles.system();
        org.apache.hadoop.fs.Path there = new org.apache.hadoop.fs.Path(adapter.toUri());
        ModelConfig model = ModelConfigJson.read(LLAMA.resolve("base/config.json"));
        AdapterConfig config = AdapterFolder.readConfig(files, there);
        ModelSpec spec = new ModelSpec(Method.LORA, Precision.FP32, QuantSpec.DEFAULT, config.lora());
        ParameterIndex index = ParameterIndex.of(model, spec);
        return new Kind("adapter", Files.readAllBytes(weights), false, 0.1, bytes -> {
            rewrite(weights, bytes);
            AdapterFolder.read(files, there, index);
        });
    }

    private static Kind record(String name, String line) {
        return new Kind(
                name,
                line.getBytes(StandardCharsets.UTF_8),
                true,
                0.05,
                bytes -> ExampleJson.read(new String(bytes, StandardCharsets.UTF_8), RecordReading.AUTO));
    }

    private static Kind manifest() throws IOException {
        Path prepared = Files.createDirectories(folder.resolve("prepared"));
        String manifest = """
                {"format_version": 1, "fingerprint": "f", "width": 16, "tokenizer_sha256": "aa", "vocabulary_size": 9,
                 "files": [{"name": "rows-f-00000.bin", "rows": 3, "sha256": "aa", "source": 1}],
                 "counts": {"examples": 3, "rows": 3, "tokens": 9, "trained_tokens": 6, "truncated": 0, "untrained": 0, "bad": 0}}
                """;
        return new Kind("manifest", manifest.getBytes(StandardCharsets.UTF_8), true, 0.05, bytes -> {
            rewrite(prepared.resolve("manifest.json"), bytes);
            PreparedData.open(prepared.toString(), new Configuration(false))
                    .reader(new Configuration(false))
                    .rows();
        });
    }

    private static Kind rows() {
        int width = 16;
        EncodedExample example = new EncodedExample(new int[] {5, 6, 7}, new boolean[] {false, true, true});
        ByteBuffer row = ByteBuffer.allocate(TokenRowCodec.byteSize(width));
        TokenRowCodec.write(TokenRow.of(List.of(example, example), width), row);
        return new Kind(
                "rows",
                row.array(),
                false,
                0.05,
                bytes -> TokenRowCodec.read(ByteBuffer.wrap(bytes), width).documents());
    }

    private static Kind plan() {
        String plan = TrainPlanJson.write(TrainFixture.plan(TrainFixture.batches(2, 4, 10)));
        return new Kind(
                "plan",
                plan.getBytes(StandardCharsets.UTF_8),
                true,
                0.05,
                bytes -> TrainPlanJson.read(new String(bytes, StandardCharsets.UTF_8)));
    }

    /** A checkpoint, one of whose files is damaged. */
    private static Kind checkpoint(String name, Predicate<String> damaged, double share) throws IOException {
        Path checkpoints = Files.createDirectories(folder.resolve(name));
        FileSystem files = LocalFiles.system();
        CheckpointStore store = new CheckpointStore(
                files, new org.apache.hadoop.fs.Path(checkpoints.toUri()), CheckpointStore.FEWEST_KEPT);
        store.publish(7, Map.of("plan", "{}"), out -> out.write(new byte[100]));
        try (Stream<Path> found = Files.walk(checkpoints)) {
            Path file = found.filter(path -> damaged.test(path.getFileName().toString()))
                    .findFirst()
                    .orElseThrow();
            return new Kind(name, Files.readAllBytes(file), name.equals("commit"), share, bytes -> {
                rewrite(file, bytes);
                store.newestGood();
            });
        }
    }

    private static Kind template() throws IOException {
        Path file = GOLDENS.resolve("tokenizers/pieces/chat_template.jinja");
        List<ChatMessage> messages = List.of(ChatMessage.of("user", "a"), ChatMessage.of("assistant", "b"));
        return new Kind("template", Files.readAllBytes(file), true, 0.05, bytes -> {
            String text = new String(bytes, StandardCharsets.UTF_8);
            ChatTemplate.of(Template.parse(text), Map.of("bos_token", "<s>", "eos_token", "</s>"))
                    .renderConversation(messages, List.of());
        });
    }

    /** The native library would end the process that reads a tokenizer, so that it is another. */
    @Test
    void damagedTokenizersAreReadOrRefusedAndEndNoProcess() throws Exception {
        Path log = folder.resolve("tokenizers.log");
        Path work = Files.createDirectories(folder.resolve("damaged"));
        List<String> arguments = List.of(
                work.toString(),
                "0",
                String.valueOf(Math.max(1, FILES / 24)),
                TestTokenizers.bytes().toString(),
                TestTokenizers.pieces().toString());
        Process process = new ProcessBuilder(ChildJvm.command(List.of(), HostileTokenizers.class, arguments))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();

        assertThat(process.waitFor()).as("%s", Files.readString(log)).isZero();
        assertThat(Files.readString(log)).containsPattern("(?s)refused [1-9].*refused [1-9]");
    }

    private static Kind binary(String name, Path file, double share, Reader reader) throws IOException {
        return new Kind(name, Files.readAllBytes(file), false, share, reader);
    }

    private static Kind text(String name, Path file, double share, java.util.function.Consumer<String> reader)
            throws IOException {
        return new Kind(
                name,
                Files.readAllBytes(file),
                true,
                share,
                bytes -> reader.accept(new String(bytes, StandardCharsets.UTF_8)));
    }

    private static Path written(String name, byte[] bytes) throws IOException {
        return rewrite(folder.resolve(name), bytes);
    }

    /** A new file: to cut one to nothing, that may still be mapped, takes most file systems far longer. */
    private static Path rewrite(Path file, byte[] bytes) throws IOException {
        Files.deleteIfExists(file);
        return Files.write(file, bytes);
    }

    private static Path copy(Path source, String name) throws IOException {
        Path target = Files.createDirectories(folder.resolve(name));
        try (Stream<Path> files = Files.list(source)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, target.resolve(file.getFileName()));
            }
        }

        return target;
    }
}
