package org.sparkqlora.spark.source;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.spark.prepare.LineGroup;

class SourceSplitTest {
    private static final String TEXT = "one\ntwo\r\n\nfour, which is longer\n5\nsix without an end";

    @TempDir
    private Path folder;

    @ParameterizedTest(name = "cut at byte {0}")
    @ValueSource(ints = {1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 20, 32, 33, 34, 35, 36, 50})
    void everyLineBelongsToOneSplitWhereverTheFileIsCut(int cut) throws IOException {
        SourceFile file = write(TEXT);
        List<String> lines = new ArrayList<>(lines(new SourceSplit(file, 0, cut)));
        lines.addAll(lines(new SourceSplit(file, cut, file.length())));

        assertThat(lines).containsExactly("one", "two", "", "four, which is longer", "5", "six without an end");
    }

    @Test
    void byteOrderMarkIsNoPartOfTheFirstLine() throws IOException {
        SourceFile file = write("\uFEFFone\ntwo\n");

        assertThat(lines(new SourceSplit(file, 0, file.length()))).containsExactly("one", "two");
    }

    @Test
    void groupsAreCutAcrossFilesAndKeepTheLineNumbersOfEach() throws IOException {
        SourceFile file = write(TEXT);
        List<SourceSplit> splits = List.of(new SourceSplit(file, 0, 10), new SourceSplit(file, 10, 20));

        List<LineGroup> groups = LineGroup.cut(splits, List.of(300L, 10L), 256, 0, Share.ALL);

        assertThat(groups)
                .containsExactly(
                        new LineGroup(0, List.of(new LineGroup.Piece(splits.get(0), 0, 256, 1, 0)), Share.ALL),
                        new LineGroup(
                                1,
                                List.of(
                                        new LineGroup.Piece(splits.get(0), 256, 44, 257, 256),
                                        new LineGroup.Piece(splits.get(1), 0, 10, 301, 300)),
                                Share.ALL));
    }

    private SourceFile write(String text) throws IOException {
        Path file = Files.writeString(folder.resolve("lines.jsonl"), text);
        return new SourceFile(file.toUri().toString(), Files.size(file), 0, SourceKind.JSON_LINES, false);
    }

    private static List<String> lines(SourceSplit split) throws IOException {
        List<String> found = new ArrayList<>();
        try (SplitLines lines = SplitLines.open(split, 1 << 20, new Configuration())) {
            for (String line = lines.next(); line != null; line = lines.next()) {
                found.add(line);
            }
        }

        return found;
    }
}
