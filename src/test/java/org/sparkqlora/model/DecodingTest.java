package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.generation.PromptedText;
import org.sparkqlora.model.generation.Sampling;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.weights.WeightFolder;

/** A text that passes piece by piece, beside the same text as a whole. */
class DecodingTest {
    /** As of float32 logits beside the reference's: products of one row are summed in another order than those of many. */
    private static final float LOGIT_TOLERANCE = 5e-5f;

    /** Five units of bfloat16 at the size of these logits: probabilities of a whole text are rounded to it, those of a single token are not. */
    private static final float BF16_TOLERANCE = 5 * 0x1p-6f;

    private static final int NEW_TOKENS = 16;

    @TempDir
    private static Path cache;

    static Stream<String> families() {
        return Stream.concat(GoldenModel.FAMILIES.stream(), Stream.of("llama-rope3-bf16", "llama-tied/variants/dora"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("families")
    void logitsOfEveryPrefixEqualThoseOfTheWholeText(String name) {
        try (Run run = new Run(new GoldenModel(name), Precision.FP32, cache)) {
            run.assertPieces(LOGIT_TOLERANCE, 1);
            run.assertPieces(LOGIT_TOLERANCE, 5);
        }
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"llama-tied", "mistral-window", "gemma2", "gemma4_text-keys"})
    void logitsInBfloat16StayClose(String name) {
        try (Run run = new Run(new GoldenModel(name), Precision.BF16, cache)) {
            run.assertPieces(BF16_TOLERANCE, 1);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("families")
    void tokensAreTheLikeliestOfTheWholeText(String name) {
        try (Run run = new Run(new GoldenModel(name), Precision.FP32, cache)) {
            int[] prompt = Arrays.copyOf(run.text, 7);
            int[] made = run.generate(prompt, Set.of());

            assertThat(made).isEqualTo(run.likeliest(prompt, made.length));
        }
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"llama-tied", "mistral-window"})
    void aTextThatOutgrowsTheFirstRoomStaysTheSame(String name) {
        try (Run run = new Run(new GoldenModel(name), Precision.FP32, cache)) {
            int[] text = IntStream.range(0, 600).map(i -> 3 + i * 37 % 300).toArray();

            run.assertPieces(LOGIT_TOLERANCE, text, 250);
        }
    }

    /** Beyond the longest text of training dynamic scaling turns every key by the length of the whole. */
    @Test
    void keysAreTurnedAnewWhereTheLengthDecidesHow() throws IOException {
        try (Run run = Run.ofBase(withDynamicScaling(8))) {
            run.assertLast(LOGIT_TOLERANCE);
        }
    }

    @Test
    void textStopsAtAnyEndToken() {
        try (Run run = new Run(new GoldenModel("llama-tied"), Precision.FP32, cache)) {
            int[] whole = run.generate(run.text, Set.of());
            int end = whole[whole.length / 2];
            int place = IntStream.range(0, whole.length)
                    .filter(i -> whole[i] == end)
                    .findFirst()
                    .getAsInt();

            assertThat(run.generate(run.text, Set.of(-1, end))).isEqualTo(Arrays.copyOf(whole, place));
        }
    }

    @Test
    void anEmptyPromptIsRefused() {
        try (Run run = new Run(new GoldenModel("llama-tied"), Precision.FP32, cache)) {
            assertThatThrownBy(() -> run.generate(new int[0], Set.of()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Cannot continue a prompt: expected at least 1 token, found none");
        }
    }

    private Path withDynamicScaling(int maxPositions) throws IOException {
        Path base = Path.of("src/test/resources/goldens/models/llama-tied/base");
        Path copy = Files.createDirectory(cache.resolve("dynamic"));
        Files.copy(base.resolve("model.safetensors"), copy.resolve("model.safetensors"));
        ObjectMapper json = new ObjectMapper();
        ObjectNode config =
                (ObjectNode) json.readTree(base.resolve("config.json").toFile());
        config.put("max_position_embeddings", maxPositions);
        ((ObjectNode) config.get("rope_parameters")).put("rope_type", "dynamic").put("factor", 4.0);
        Files.writeString(copy.resolve("config.json"), config.toString());
        return copy;
    }

    /** A loaded reference model, its adapter bound, and the longest document of the reference batch. */
    private static final class Run implements AutoCloseable {
        private final WeightFolder weights;
        private final DecoderModel model;
        private final BoundParameters parameters;
        private final int[] text;

        Run(GoldenModel golden, Precision precision, Path cache) {
            ModelSpec spec = golden.spec(Mode.QLORA);
            this.weights = golden.weights(Mode.QLORA, cache);
            this.model = LoadedModel.of(weights, new ModelSpec(spec.method(), precision, spec.quant(), spec.lora()), 1);
            this.parameters = model.bind(golden.adapter(model.parameters()));
            this.text = text(golden);
        }

        private Run(Path base) {
            this.weights = WeightFolder.open(base);
            this.model =
                    LoadedModel.of(weights, new ModelSpec(Method.LORA, Precision.FP32, QuantSpec.DEFAULT, null), 1);
            this.parameters = model.bind(model.initialParameters(0));
            this.text = text(new GoldenModel("llama-tied"));
        }

        /** A base as stored, without an adapter. */
        static Run ofBase(Path base) {
            return new Run(base);
        }

        private static int[] text(GoldenModel golden) {
            TokenRow row = golden.batch().get(0);
            return Arrays.copyOf(row.ids(), row.length());
        }

        void assertPieces(float tolerance, int size) {
            assertPieces(tolerance, text, size);
        }

        void assertPieces(float tolerance, int[] text, int size) {
            float[][] cached = cached(text, size);
            float[] whole = model.logits(parameters, List.of(row(text)));
            for (int piece = 0; piece < cached.length; piece++) {
                int end = Math.min(text.length, (piece + 1) * size);
                assertThat(difference(cached[piece], whole, end - 1))
                        .as("token %d", end - 1)
                        .isLessThanOrEqualTo(tolerance);
            }
        }

        void assertLast(float tolerance) {
            float[][] cached = cached(text, 1);
            float[] whole = model.logits(parameters, List.of(row(text)));

            assertThat(difference(cached[text.length - 1], whole, text.length - 1))
                    .isLessThanOrEqualTo(tolerance);
        }

        private float[][] cached(int[] text, int size) {
            int[][] pieces = IntStream.iterate(0, from -> from < text.length, from -> from + size)
                    .mapToObj(from -> Arrays.copyOfRange(text, from, Math.min(text.length, from + size)))
                    .toArray(int[][]::new);
            return model.inPass(parameters, pass -> {
                try (Decoding decoding = new Decoding(pass, new PromptedText(text, spec(Set.of())))) {
                    return Arrays.stream(pieces).map(decoding::next).toArray(float[][]::new);
                }
            });
        }

        /** The largest difference of a token's logits. */
        private static float difference(float[] logits, float[] whole, int token) {
            float largest = 0;
            for (int v = 0; v < logits.length; v++) {
                largest = Math.max(largest, Math.abs(logits[v] - whole[token * logits.length + v]));
            }

            return largest;
        }

        int[] generate(int[] prompt, Set<Integer> ends) {
            return model.generate(parameters, prompt, spec(ends), id -> {});
        }

        private static GenerationSpec spec(Set<Integer> ends) {
            return new GenerationSpec(NEW_TOKENS, ends, Sampling.GREEDY);
        }

        /** Greedy decoding that computes the whole text for each token. */
        int[] likeliest(int[] prompt, int count) {
            int[] all = prompt;
            for (int i = 0; i < count; i++) {
                float[] logits = model.logits(parameters, List.of(row(all)));
                int width = model.config().vocabularySize();
                int last = (all.length - 1) * width;
                int best = IntStream.range(0, width)
                        .reduce((a, b) -> logits[last + b] > logits[last + a] ? b : a)
                        .getAsInt();
                all = Arrays.copyOf(all, all.length + 1);
                all[all.length - 1] = best;
            }

            return Arrays.copyOfRange(all, prompt.length, all.length);
        }

        private static TokenRow row(int[] ids) {
            boolean[] starts = new boolean[ids.length];
            starts[0] = true;
            return new TokenRow(ids, new boolean[ids.length], starts, ids.length);
        }

        @Override
        public void close() {
            parameters.close();
            model.close();
            weights.close();
        }
    }
}
