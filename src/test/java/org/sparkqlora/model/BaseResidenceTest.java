package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.quant.Bfloat16;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.weights.QuantizedCache;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.ModelConfigJson;
import org.sparkqlora.weights.safetensors.SafetensorsWriter;
import org.sparkqlora.weights.safetensors.StoredType;
import org.sparkqlora.weights.safetensors.TensorSpec;

/** What the kernel says is resident of a base's file stays within the bound while a model several times larger trains. */
@NullMarked
@EnabledOnOs(OS.LINUX)
class BaseResidenceTest {
    private static final String CONFIG = """
            {"model_type": "llama", "vocab_size": 1024, "hidden_size": 512, "intermediate_size": 2048,
             "num_hidden_layers": 10, "num_attention_heads": 8, "num_key_value_heads": 8, "hidden_act": "silu",
             "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": false,
             "torch_dtype": "bfloat16"}
            """;

    private static final long KEPT = 6 << 20;
    private static final int LANES = 2;
    private static final long PAGE_BYTES = 4096;
    private static final long PAUSE_NANOS = 5_000_000;

    @TempDir
    private static Path folder;

    @BeforeAll
    static void write() throws IOException {
        Path config = folder.resolve("config.json");
        Files.writeString(config, CONFIG);
        Map<String, long[]> shapes =
                DecoderTensors.of(ModelConfigJson.read(config)).shapes();
        List<TensorSpec> specs = shapes.entrySet().stream()
                .map(tensor -> TensorSpec.of(tensor.getKey(), StoredType.BF16, tensor.getValue()))
                .toList();
        byte[] tile = tile();
        try (SafetensorsWriter writer =
                SafetensorsWriter.create(folder.resolve("model.safetensors"), SafetensorsWriter.PYTORCH, specs)) {
            specs.forEach(spec -> writer.write(spec.name(), values(spec, tile)));
            writer.commit();
        }
    }

    /** Weights that every tensor is made of. */
    private static byte[] tile() {
        SplittableRandom random = new SplittableRandom(1);
        ByteBuffer tile = ByteBuffer.allocate(1 << 17).order(ByteOrder.LITTLE_ENDIAN);
        while (tile.hasRemaining()) {
            tile.putShort(Bfloat16.round((float) random.nextDouble(-0.05, 0.05)));
        }

        return tile.array();
    }

    private static ByteBuffer values(TensorSpec spec, byte[] tile) {
        ByteBuffer values = ByteBuffer.allocate(Math.toIntExact(spec.byteSize()));
        while (values.hasRemaining()) {
            values.put(tile, 0, Math.min(tile.length, values.remaining()));
        }

        return values.flip();
    }

    @ParameterizedTest
    @EnumSource(
            value = Method.class,
            names = {"QLORA", "LORA"})
    void theBaseStaysWithinItsBound(Method method) {
        ModelSpec spec = new ModelSpec(method, Precision.BF16, QuantSpec.DEFAULT, LoraSpec.allLinear(4, 8));
        try (WeightFolder weights = weights(method)) {
            BaseMemoryLimit bound = new BaseMemoryLimit(BaseMemoryLimit.smallest(weights.config(), spec, LANES) + KEPT);
            long windowed = mostResident(weights, spec, bound);
            long whole = mostResident(weights, spec, BaseMemoryLimit.ALL);

            assertThat(windowed).isBetween(KEPT / 2, bound.bytes());
            // not than the bound: a kernel may take back pages that nobody used for some seconds
            assertThat(whole).isGreaterThan(2 * windowed);
        }
    }

    private static WeightFolder weights(Method method) {
        WeightFolder stored = WeightFolder.open(folder);
        if (method == Method.LORA) {
            return stored;
        }

        try (Workers workers = new Workers(1)) {
            return new QuantizedCache(folder.resolve("cache")).open(stored, QuantSpec.DEFAULT, workers);
        }
    }

    private static long mostResident(WeightFolder weights, ModelSpec spec, BaseMemoryLimit bound) {
        PassOptions passes = PassOptions.recomputing(Recompute.ALL).keeping(bound);
        Path file = weights.path().resolve("model.safetensors");
        try (DecoderModel model = DecoderModel.load(
                        weights, spec, LANES, passes, LoadedModel.SCRATCH, Precision.BF16::onProcessor);
                BoundParameters parameters = model.bind(model.initialParameters(0))) {
            FlatVector gradient = FlatVector.zeros(model.parameters().size());
            long before = resident(file);
            AtomicBoolean done = new AtomicBoolean();
            CompletableFuture<Long> most = CompletableFuture.supplyAsync(
                    () -> {
                        long found = 0;
                        while (!done.get()) {
                            found = Math.max(found, resident(file));
                            LockSupport.parkNanos(PAUSE_NANOS);
                        }

                        return found;
                    },
                    work -> new Thread(work).start());
            try {
                model.addGradients(parameters, microBatches(), gradient, OptionalDouble.empty());
            } finally {
                done.set(true);
            }

            return Math.max(most.join(), resident(file)) - before;
        }
    }

    private static List<MicroBatch> microBatches() {
        int tokens = 16;
        return IntStream.range(0, 2 * LANES)
                .mapToObj(pass -> {
                    int[] ids = IntStream.range(0, tokens)
                            .map(i -> (i * 7919 + pass * 131) % 1024)
                            .toArray();
                    boolean[] trained = new boolean[tokens];
                    boolean[] starts = new boolean[tokens];
                    Arrays.fill(trained, 1, tokens, true);
                    starts[0] = true;
                    return new MicroBatch(List.of(new TokenRow(ids, trained, starts, tokens)), pass);
                })
                .toList();
    }

    /** Bytes of the mappings of {@code file} that are in memory. */
    private static long resident(Path file) {
        try (RandomAccessFile pages = new RandomAccessFile("/proc/self/pagemap", "r")) {
            String name = file.toRealPath().toString();
            long sum = 0;
            for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
                if (line.endsWith(name)) {
                    sum += PAGE_BYTES * presentPages(pages, line.split("[- ]", 3));
                }
            }

            return sum;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** {@code pagemap} has 64 bits a page, the highest of which says whether it is present. */
    private static long presentPages(RandomAccessFile pages, String[] range) throws IOException {
        long first = Long.parseLong(range[0], 16) / PAGE_BYTES;
        long end = Long.parseLong(range[1], 16) / PAGE_BYTES;
        byte[] entries = new byte[Math.toIntExact((end - first) * Long.BYTES)];
        pages.seek(first * Long.BYTES);
        pages.readFully(entries);
        return IntStream.iterate(Long.BYTES - 1, last -> last < entries.length, last -> last + Long.BYTES)
                .filter(last -> entries[last] < 0)
                .count();
    }
}
