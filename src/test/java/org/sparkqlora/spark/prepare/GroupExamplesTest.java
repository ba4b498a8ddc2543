package org.sparkqlora.spark.prepare;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.tensor.ScratchFile;
import org.sparkqlora.tokenizer.EncodedExample;

class GroupExamplesTest {
    private static final int EXAMPLES = 50;

    private final List<ScratchFile> made = new ArrayList<>();

    @TempDir
    Path folder;

    @ParameterizedTest(name = "{0} tokens in memory")
    @ValueSource(longs = {0, 1, 200, Long.MAX_VALUE})
    void givesBackWhatWasAddedHoweverFewAreInMemory(long mostTokens) {
        List<EncodedExample> expected = examples(17);
        try (GroupExamples examples = new GroupExamples(this::scratch, mostTokens)) {
            expected.forEach(each -> examples.add(List.of(each), 0));

            assertThat(IntStream.range(0, examples.size())
                            .mapToObj(examples::get)
                            .toList())
                    .isEqualTo(expected);
            assertThat(examples.lengths())
                    .isEqualTo(expected.stream().map(EncodedExample::length).toList());
            assertThat(examples.tokens())
                    .isEqualTo(
                            expected.stream().mapToLong(EncodedExample::length).sum());
            assertThat(examples.trainedTokens())
                    .isEqualTo(expected.stream()
                            .mapToLong(EncodedExample::trainedTokens)
                            .sum());
        }
    }

    @Test
    void fewExamplesNeedNoFile() {
        try (GroupExamples examples = new GroupExamples(this::scratch, GroupExamples.MOST_TOKENS)) {
            examples(3).forEach(each -> examples.add(List.of(each), 0));
        }

        assertThat(made).isEmpty();
    }

    @Test
    void theFileIsGoneAfterwards() {
        try (GroupExamples examples = new GroupExamples(this::scratch, 10)) {
            examples(3).forEach(each -> examples.add(List.of(each), 0));
        }

        assertThat(made).hasSize(1);
        assertThat(folder).isEmptyDirectory();
    }

    private ScratchFile scratch() {
        ScratchFile file = ScratchFile.create(folder, "examples", 0);
        made.add(file);
        return file;
    }

    private static List<EncodedExample> examples(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        return IntStream.range(0, EXAMPLES)
                .mapToObj(i -> {
                    int[] ids = random.ints(random.nextInt(1, 30)).toArray();
                    boolean[] trained = new boolean[ids.length];
                    IntStream.range(0, ids.length).forEach(t -> trained[t] = random.nextBoolean());
                    return new EncodedExample(ids, trained);
                })
                .toList();
    }
}
