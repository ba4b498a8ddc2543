package org.sparkqlora.input;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class FileNamesTest {
    private static final FileNames ASCII = new FileNames(StandardCharsets.US_ASCII);
    private static final FileNames UTF_8 = new FileNames(StandardCharsets.UTF_8);
    private static final byte[] WRITTEN = "java\0--output\0Ä".getBytes(StandardCharsets.UTF_8);

    @Test
    void anArgumentThatBecameQuestionMarksIsAProblem() {
        assertThat(ASCII.problemOf(List.of("--output", "??"), WRITTEN))
                .hasValue(
                        "Cannot read the argument '??': expected a locale that has its characters, found US-ASCII. Set the environment variable LC_ALL to C.UTF-8, on executors by --conf spark.executorEnv.LC_ALL=C.UTF-8");
    }

    @Test
    void questionMarksThatSomebodyWroteAreNone() {
        byte[] written = "java\0--data\0part-?.jsonl".getBytes(StandardCharsets.UTF_8);

        assertThat(ASCII.problemOf(List.of("--data", "part-?.jsonl"), written)).isEmpty();
        assertThat(UTF_8.problemOf(List.of("--output", "Ä", "?"), WRITTEN)).isEmpty();
    }

    @Test
    void aPathThatWouldBeWrittenAsAnotherIsRefused() {
        UTF_8.requireWritable("Ä");
        ASCII.requireWritable("a");

        assertThatThrownBy(() -> ASCII.requireWritable("/data/Ö"))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("Cannot use the path '/data/Ö': expected a locale that has its characters");
    }
}
