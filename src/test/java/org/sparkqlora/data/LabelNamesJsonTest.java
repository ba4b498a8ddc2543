package org.sparkqlora.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.input.BadInputException;

class LabelNamesJsonTest {
    static Stream<Arguments> found() {
        return Stream.of(
                Arguments.of(List.of("'owl'", "'crow'", "'owl'"), List.of("crow", "owl")),
                Arguments.of(List.of("2", "0"), List.of("LABEL_0", "LABEL_1", "LABEL_2")),
                Arguments.of(List.of("true", "false"), List.of("false", "true")),
                Arguments.of(List.of("'1'", "'10'"), List.of("1", "10")),
                Arguments.of(List.of("'b'", "null", "{}", "'a'"), List.of("a", "b")));
    }

    @ParameterizedTest
    @MethodSource("found")
    void classesAreInTheOrderOfTheirNamesOrIndices(List<String> labels, List<String> names) {
        assertThat(labels(labels.stream()).names()).containsExactlyElementsOf(names);
    }

    @Test
    void aListHasAnyNumberOfLabels() {
        List<String> records =
                List.of("{\"tags\": [\"b\", \"a\"]}", "{\"tags\": []}", "{\"tags\": [\"c\"]}", "{", "[]");
        ProblemType several = ProblemType.MULTI_LABEL_CLASSIFICATION;

        Labels labels = labels(several, new Columns(Map.of("labels", "tags")), records.stream());

        assertThat(labels).isEqualTo(new Labels(several, List.of("a", "b", "c")));
    }

    /** A table gives null for a row that is none. */
    @Test
    void aRowThatIsNoRecordHasNoLabel() {
        LabelNamesJson names = new LabelNamesJson(ProblemType.SINGLE_LABEL_CLASSIFICATION, Columns.OWN);

        names.add(null);

        assertThat(names.found()).isEmpty();
    }

    @Test
    void nobodyReadsOnOnceThereAreTooMany() {
        LabelNamesJson names = new LabelNamesJson(ProblemType.SINGLE_LABEL_CLASSIFICATION, Columns.OWN);
        for (int i = 0; i < LabelNamesJson.MOST; i++) {
            names.add("{\"label\": \"%d\"}".formatted(i));
        }

        assertThat(names.isFull()).isFalse();
        names.add("{\"label\": \"another\"}");
        assertThat(names.isFull()).isTrue();
    }

    @Test
    void whatIsNoClassIsRefused() {
        assertRefused("found 1.5. --problem-type regression learns numbers", Stream.of("1", "1.5"));
        assertRefused("indices from 0 to 999, found -1", Stream.of("-1", "1"));
        assertRefused("indices from 0 to 999, found 1000", Stream.of("1000"));
        assertRefused("found both. --labels names the classes", Stream.of("1", "'a'"));
        assertRefused(
                "found more. --labels",
                IntStream.rangeClosed(0, LabelNamesJson.MOST).mapToObj(i -> "'name " + i + "'"));
        assertRefused("expected the names of at least 2 labels, found [a]", Stream.of("'a'"));
    }

    private static void assertRefused(String message, Stream<String> labels) {
        assertThatThrownBy(() -> labels(labels))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(message);
    }

    private static Labels labels(Stream<String> labels) {
        ProblemType single = ProblemType.SINGLE_LABEL_CLASSIFICATION;
        Stream<String> records =
                labels.map(each -> "{\"text\": \"?\", \"label\": %s}".formatted(each.replace('\'', '"')));
        return labels(single, Columns.OWN, records);
    }

    private static Labels labels(ProblemType problem, Columns columns, Stream<String> records) {
        LabelNamesJson names = new LabelNamesJson(problem, columns);
        records.forEach(names::add);
        return LabelNamesJson.labels(problem, names.found());
    }
}
