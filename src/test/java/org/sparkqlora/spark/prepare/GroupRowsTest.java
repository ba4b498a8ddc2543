package org.sparkqlora.spark.prepare;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.data.Columns;
import org.sparkqlora.data.ExampleKind;
import org.sparkqlora.data.Examples;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.data.RecordReading;
import org.sparkqlora.spark.prepare.PreparationOptions.OnBadRecord;
import org.sparkqlora.spark.prepare.PreparationOptions.Packing;
import org.sparkqlora.tensor.ScratchFile;
import org.sparkqlora.tokenizer.packing.RowLayout;
import org.sparkqlora.tokenizer.packing.TokenRow;

/** Rows of examples with several documents. */
class GroupRowsTest {
    @TempDir
    private Path folder;

    @Test
    void bothAnswersOfAPairLieTogether() throws Exception {
        GroupEncoding encoding = encoding(
                ExampleKind.PREFERENCE,
                Packing.PACKED,
                16,
                "{\"prompt_ids\": [1, 2], \"chosen_ids\": [3], \"rejected_ids\": [4, 5]}",
                "{\"prompt_ids\": [6], \"chosen_ids\": [7], \"rejected_ids\": [8]}");

        List<TokenRow> rows = encoding.rows();

        assertThat(rows).hasSize(1);
        TokenRow row = rows.get(0);
        assertThat(row.width()).isEqualTo(32);
        assertThat(documents(row)).containsExactly("1 2 +3", "1 2 +4 +5", "6 +7", "6 +8");
        assertThat(row.values()).isEmpty();
    }

    @Test
    void answersAreCutApartAndPromptsThatFillARowAreLeftOut() throws Exception {
        GroupEncoding encoding = encoding(
                ExampleKind.PREFERENCE,
                Packing.ONE_A_ROW,
                4,
                "{\"prompt_ids\": [1, 2], \"chosen_ids\": [3, 4, 5, 6], \"rejected_ids\": [7]}",
                "{\"prompt_ids\": [1, 2, 3, 4], \"chosen_ids\": [5], \"rejected_ids\": [6]}",
                "{\"prompt_ids\": [1], \"chosen_ids\": [5], \"rejected_ids\": [5]}");

        assertThat(encoding.rows().stream().map(GroupRowsTest::documents))
                .containsExactly(List.of("1 2 +3 +4", "1 2 +7"));
        PreparationCounts counts = encoding.result(0, null, 1).counts();
        assertThat(counts.examples()).isEqualTo(1);
        assertThat(counts.truncated()).isEqualTo(1);
        assertThat(counts.untrained()).isEqualTo(2);
    }

    @Test
    void aPromptIsAlsoAnsweredByTheExampleBeforeIt() throws Exception {
        GroupEncoding encoding = encoding(
                ExampleKind.UNPAIRED,
                Packing.ONE_A_ROW,
                8,
                "{\"prompt_ids\": [1], \"completion_ids\": [2], \"label\": true}",
                "{\"prompt_ids\": [3, 4], \"completion_ids\": [5, 6], \"label\": false}");

        List<TokenRow> rows = encoding.rows();

        assertThat(rows.stream().map(GroupRowsTest::documents))
                .containsExactly(List.of("1 +2", "1 +5 +6"), List.of("3 4 +5 +6", "3 4 +2"));
        assertThat(rows.get(0).values()).containsExactly(1, 1);
        assertThat(rows.get(1).values()).containsExactly(0, 0);
    }

    @Test
    void valuesAreReadBack() throws Exception {
        GroupEncoding encoding = encoding(
                ExampleKind.UNPAIRED,
                Packing.PACKED,
                16,
                "{\"prompt_ids\": [1], \"completion_ids\": [2], \"label\": true}",
                "{\"prompt_ids\": [3], \"completion_ids\": [4], \"label\": false}",
                "{\"prompt_ids\": [5], \"completion_ids\": [6], \"label\": true}");
        RowLayout layout = new RowLayout(32, 1);

        assertThat(encoding.rows()).hasSize(2).allSatisfy(row -> {
            ByteBuffer bytes = ByteBuffer.allocate(layout.byteSize());
            layout.write(row, bytes);
            assertThat(bytes.hasRemaining()).isFalse();
            assertThat(layout.read(bytes.flip())).isEqualTo(row);
            assertThat(row.documents().size()).isLessThanOrEqualTo(2 * layout.mostExamples(ExampleKind.UNPAIRED));
        });
    }

    private GroupEncoding encoding(ExampleKind kind, Packing packing, int width, String... lines) throws Exception {
        LineEncoder encoder = RecordEncoders.ofTokens(
                        new RecordReading(RecordFormat.TOKENS, Columns.OWN, Examples.of(kind)))
                .open();
        GroupEncoding encoding = new GroupEncoding(
                encoder,
                new PreparationOptions(width, packing, OnBadRecord.FAIL).of(Examples.of(kind)),
                1,
                new GroupExamples(() -> ScratchFile.create(folder, "examples", 0), GroupExamples.MOST_TOKENS));
        for (int i = 0; i < lines.length; i++) {
            String line = lines[i];
            encoding.add("file", i + 1L, () -> line);
        }

        return encoding;
    }

    /** The ids of each document, with a plus before those that are trained. */
    private static List<String> documents(TokenRow row) {
        return row.documents().stream()
                .map(range -> String.join(
                        " ",
                        IntStream.range(range.from(), range.to())
                                .mapToObj(t -> (row.trained()[t] ? "+" : "") + row.ids()[t])
                                .toList()))
                .toList();
    }
}
