package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.generation.PromptedText;
import org.sparkqlora.model.generation.Sampling;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.model.shared.WeightBuffers;
import org.sparkqlora.tensor.ComputeThread;
import org.sparkqlora.tensor.ComputeThreads;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.weights.WeightFolder;

/** Concurrent passes give the results of passes one after the other. */
@NullMarked
class ConcurrentPassesTest {
    private static final int PASSES = 5;

    @TempDir
    private Path cache;

    private record Found(
            float[] gradient, List<LossTotal> losses, List<List<LossTotal>> evaluated, List<int[]> answers) {}

    @ParameterizedTest(name = "{0} threads")
    @ValueSource(ints = {2, 3, 5})
    void threadsDoNotChangeABit(int threads) {
        for (Mode mode : new Mode[] {Mode.QLORA, Mode.LORA}) {
            for (String name : List.of("llama-tied", "qwen3_moe")) {
                Found one = found(name, mode, 1);
                Found several = found(name, mode, threads);

                assertThat(several.gradient()).isEqualTo(one.gradient()).doesNotContain(Float.NaN);
                assertThat(several.losses()).isEqualTo(one.losses()).hasSize(PASSES);
                assertThat(several.evaluated()).isEqualTo(one.evaluated()).hasSize(PASSES);
                assertThat(several.answers())
                        .containsExactlyElementsOf(one.answers())
                        .hasSize(PASSES);
            }
        }
    }

    @Test
    void aSumGoesOnFromWhatWasThere() {
        GoldenModel golden = new GoldenModel("llama-tied");
        try (WeightFolder weights = golden.weights(Mode.QLORA, cache);
                DecoderModel model = LoadedModel.of(weights, golden.spec(Mode.QLORA), 2);
                BoundParameters parameters = model.bind(golden.adapter(model.parameters()))) {
            FlatVector once = FlatVector.zeros(model.parameters().size());
            FlatVector twice = FlatVector.zeros(once.length());
            List<MicroBatch> passes = passes(golden);

            model.addGradients(parameters, passes, once, OptionalDouble.empty());
            model.addGradients(parameters, passes.subList(0, 2), twice, OptionalDouble.empty());
            model.addGradients(parameters, passes.subList(2, PASSES), twice, OptionalDouble.empty());

            assertThat(numbers(twice)).isEqualTo(numbers(once));
        }
    }

    @Test
    void aCancelledTaskLeavesItsPassesAndTheModelGoesOn() throws InterruptedException {
        GoldenModel golden = new GoldenModel("llama-tied");
        try (WeightFolder weights = golden.weights(Mode.QLORA, cache);
                DecoderModel model = LoadedModel.of(weights, golden.spec(Mode.QLORA), 2);
                BoundParameters parameters = model.bind(golden.adapter(model.parameters()))) {
            List<LossTotal> before = model.losses(parameters, golden.batch());
            CountDownLatch begun = new CountDownLatch(3);
            AtomicReference<Throwable> end = new AtomicReference<>();
            Thread task = new Thread(() -> {
                try {
                    model.losses(parameters, Stream.generate(golden::batch).iterator(), losses -> begun.countDown());
                } catch (CancellationException e) {
                    end.set(e);
                }
            });
            task.start();
            begun.await();
            task.interrupt();
            task.join();

            assertThat(end.get()).hasMessage("Cannot finish a pass: its task was cancelled");
            assertThat(model.losses(parameters, golden.batch())).isEqualTo(before);
        }
    }

    @Test
    void aPassThatNoOneWaitsForEndsBetweenLayers() {
        GoldenModel golden = new GoldenModel("llama-tied");
        try (WeightFolder weights = golden.weights(Mode.QLORA, cache);
                DecoderModel model = LoadedModel.of(weights, golden.spec(Mode.QLORA), 1);
                BoundParameters parameters = model.bind(golden.adapter(model.parameters()));
                ComputeThreads threads = ComputeThreads.of(1, Hardware::processor);
                ComputeThread thread = threads.hardware().computeThread();
                WeightBuffers buffers = new WeightBuffers(ScalarType.Float, threads.hardware())) {
            ModelPass pass = new ModelPass(model, parameters, new Workspace(buffers, threads), null, null, () -> true);
            DocumentBatch batch = new DocumentBatch(golden.batch());

            assertThatThrownBy(() -> thread.call(() -> pass.losses(batch)))
                    .isInstanceOf(CancellationException.class)
                    .hasMessage("Cannot finish a micro-batch: its task was cancelled");
        }
    }

    private Found found(String name, Mode mode, int threads) {
        GoldenModel golden = new GoldenModel(name);
        try (WeightFolder weights = golden.weights(mode, cache);
                DecoderModel model = LoadedModel.of(weights, golden.spec(mode), threads);
                BoundParameters parameters = model.bind(golden.adapter(model.parameters()))) {
            FlatVector sum = FlatVector.zeros(model.parameters().size());
            List<MicroBatch> passes = passes(golden);
            List<LossTotal> losses = model.addGradients(parameters, passes, sum, OptionalDouble.empty());
            List<List<LossTotal>> evaluated = new ArrayList<>();
            model.losses(parameters, passes.stream().map(MicroBatch::rows).iterator(), evaluated::add);
            List<int[]> answers = new ArrayList<>();
            model.generate(
                    parameters,
                    passes.stream().map(ConcurrentPassesTest::question).iterator(),
                    answers::add);
            return new Found(numbers(sum), losses, evaluated, answers);
        }
    }

    /** Of different rows. */
    private static List<MicroBatch> passes(GoldenModel golden) {
        List<TokenRow> rows = golden.batch();
        return IntStream.range(0, PASSES)
                .mapToObj(pass -> new MicroBatch(rows.subList(pass % rows.size(), rows.size()), pass))
                .toList();
    }

    private static PromptedText question(MicroBatch batch) {
        int[] ids = Arrays.copyOf(batch.rows().get(0).ids(), 3);
        return new PromptedText(ids, new GenerationSpec(6, Set.of(), Sampling.GREEDY));
    }

    private static float[] numbers(FlatVector vector) {
        float[] numbers = new float[Math.toIntExact(vector.length())];
        vector.read(0, numbers, 0, numbers.length);
        return numbers;
    }
}
