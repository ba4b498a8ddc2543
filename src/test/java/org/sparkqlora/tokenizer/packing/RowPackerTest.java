package org.sparkqlora.tokenizer.packing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.tokenizer.EncodedExample;

class RowPackerTest {
    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void everyDocumentIsInExactlyOneRow(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int width = random.nextInt(2, 60);
        List<EncodedExample> examples = randomExamples(random, width);

        List<EncodedExample> packed = PackedRows.of(examples, width).stream()
                .flatMap(row -> documents(row).stream())
                .toList();
        assertThat(packed)
                .containsExactlyInAnyOrderElementsOf(examples.stream()
                        .map(example -> example.truncatedTo(width))
                        .toList());
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void leavesNoTwoRowsThatFitIntoOne(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int width = random.nextInt(2, 60);
        List<Integer> lengths = PackedRows.of(randomExamples(random, width), width).stream()
                .map(TokenRow::length)
                .sorted()
                .toList();

        assertThat(lengths.size() < 2 || lengths.get(0) + lengths.get(1) > width)
                .isTrue();
    }

    @Test
    void fillsTheFullestRowWithRoom() {
        List<TokenRow> rows =
                PackedRows.of(List.of(document(3), document(6), document(4), document(7), document(2)), 10);

        assertThat(rows).extracting(RowPackerTest::lengths).containsExactly(List.of(7, 3), List.of(6, 4), List.of(2));
    }

    @Test
    void equalInputGivesEqualRows() {
        SplittableRandom random = new SplittableRandom(7);
        List<EncodedExample> examples = randomExamples(random, 50);

        assertThat(PackedRows.of(examples, 50)).isEqualTo(PackedRows.of(List.copyOf(examples), 50));
    }

    @Test
    void aLongDocumentIsCutToTheRow() {
        TokenRow row = RowPacker.single(document(12), 10);

        assertThat(row.length()).isEqualTo(10);
        assertThat(documents(row)).containsExactly(document(12).truncatedTo(10));
    }

    @Test
    void refusesARowThatCannotHoldATarget() {
        assertThatThrownBy(() -> PackedRows.of(List.of(document(3)), 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot pack rows of width 1: expected at least 2, a token and the one it predicts");
    }

    private static LongStream seeds() {
        return LongStream.range(0, 50);
    }

    private static List<EncodedExample> randomExamples(SplittableRandom random, int width) {
        List<EncodedExample> examples = new ArrayList<>();
        for (int i = random.nextInt(40); i > 0; i--) {
            int[] ids = random.ints(random.nextInt(1, width + 5), 0, 1000).toArray();
            boolean[] trained = new boolean[ids.length];
            IntStream.range(0, ids.length).forEach(t -> trained[t] = random.nextBoolean());
            examples.add(new EncodedExample(ids, trained));
        }

        return examples;
    }

    private static EncodedExample document(int length) {
        boolean[] trained = new boolean[length];
        Arrays.fill(trained, true);
        return new EncodedExample(IntStream.range(100, 100 + length).toArray(), trained);
    }

    private static List<Integer> lengths(TokenRow row) {
        return row.documents().stream().map(TokenRow.DocumentRange::length).toList();
    }

    private static List<EncodedExample> documents(TokenRow row) {
        return row.documents().stream()
                .map(range -> new EncodedExample(
                        Arrays.copyOfRange(row.ids(), range.from(), range.to()),
                        Arrays.copyOfRange(row.trained(), range.from(), range.to())))
                .toList();
    }
}
