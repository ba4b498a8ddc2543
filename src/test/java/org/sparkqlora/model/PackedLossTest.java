package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.tokenizer.EncodedExample;
import org.sparkqlora.tokenizer.packing.PackedRows;
import org.sparkqlora.tokenizer.packing.RowPacker;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.weights.WeightFolder;

/** Documents that share a row, in float32: each has the loss that it has in a row of its own, whoever its neighbours are. */
class PackedLossTest {
    /**
     * Of the mean loss, as a share of it. A loss near 7 has steps of 5e-7 in float32, and products of other shapes are added in other
     * orders: three such steps were seen.
     */
    private static final double TOLERANCE = 5e-7;

    private static final int DOCUMENTS = 9;
    private static final int WIDTH = 48;

    @TempDir
    private Path cache;

    static Stream<String> families() {
        return GoldenModel.FAMILIES.stream();
    }

    @ParameterizedTest
    @MethodSource("families")
    void lossOfPackedRowsIsThatOfUnpackedOnes(String name) {
        GoldenModel golden = new GoldenModel(name);
        try (WeightFolder weights = golden.weights(Mode.LORA, cache);
                DecoderModel model = LoadedModel.of(weights, golden.spec(Mode.LORA), 1);
                BoundParameters parameters = model.bind(golden.adapter(model.parameters()))) {
            List<EncodedExample> examples = examples(model.config().vocabularySize());
            List<TokenRow> packed = PackedRows.of(examples, WIDTH);
            List<TokenRow> single =
                    examples.stream().map(each -> RowPacker.single(each, WIDTH)).toList();

            LossTotal together = LossTotal.sum(model.losses(parameters, packed));
            LossTotal alone = LossTotal.sum(model.losses(parameters, single));

            assertThat(packed).hasSizeLessThan(DOCUMENTS / 2);
            assertThat(together.tokenCount()).isEqualTo(alone.tokenCount());
            assertThat(together.mean()).isCloseTo(alone.mean(), within(TOLERANCE * alone.mean()));
        }
    }

    @ParameterizedTest
    @MethodSource("families")
    void removingADocumentChangesNoOthersLoss(String name) {
        GoldenModel golden = new GoldenModel(name);
        try (WeightFolder weights = golden.weights(Mode.LORA, cache);
                DecoderModel model = LoadedModel.of(weights, golden.spec(Mode.LORA), 1);
                BoundParameters parameters = model.bind(golden.adapter(model.parameters()))) {
            List<EncodedExample> three =
                    examples(model.config().vocabularySize()).subList(0, 3);
            List<LossTotal> all = model.losses(parameters, List.of(TokenRow.of(three, WIDTH)));

            for (int removed = 0; removed < three.size(); removed++) {
                List<EncodedExample> rest = new ArrayList<>(three);
                List<LossTotal> expected = new ArrayList<>(all);
                rest.remove(removed);
                expected.remove(removed);
                assertSame(model.losses(parameters, List.of(TokenRow.of(rest, WIDTH))), expected);
            }
        }
    }

    private static void assertSame(List<LossTotal> losses, List<LossTotal> expected) {
        assertThat(losses).hasSameSizeAs(expected);
        for (int i = 0; i < losses.size(); i++) {
            assertThat(losses.get(i).mean())
                    .isCloseTo(
                            expected.get(i).mean(),
                            within(TOLERANCE * expected.get(i).mean()));
        }
    }

    private static List<EncodedExample> examples(int vocabulary) {
        SplittableRandom random = new SplittableRandom(5);
        List<EncodedExample> examples = new ArrayList<>();
        for (int i = 0; i < DOCUMENTS; i++) {
            int[] ids = random.ints(random.nextInt(4, 16), 0, vocabulary).toArray();
            boolean[] trained = new boolean[ids.length];
            Arrays.fill(trained, ids.length / 3, ids.length, true);
            examples.add(new EncodedExample(ids, trained));
        }

        return examples;
    }
}
