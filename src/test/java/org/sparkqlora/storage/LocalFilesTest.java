package org.sparkqlora.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalFilesTest {
    @TempDir
    private Path folder;

    @Test
    void whatKilledProcessesLeftGoesAfterADay() throws IOException {
        Path old = left("losses.jsonl", Duration.ofDays(2));
        Path oldAnswers = left("answers.jsonl", Duration.ofDays(2));
        Path other = left("other.jsonl", Duration.ofDays(2));
        Path growing = left("losses.jsonl", Duration.ZERO);

        LocalFiles.replaceBy(folder.resolve("losses.jsonl"), out -> out.append("a line"));
        LocalFiles.create(folder.resolve("answers.jsonl"), List.of("a line"));

        assertThat(List.of(old, oldAnswers)).allSatisfy(each -> assertThat(each).doesNotExist());
        assertThat(List.of(other, growing)).allSatisfy(each -> assertThat(each).exists());
        assertThat(folder.resolve("losses.jsonl")).hasContent("a line");
        assertThat(folder.resolve("answers.jsonl")).hasContent("a line");
    }

    @Test
    void aFolderThatWasMadeForAFileGoesWithIt() throws IOException {
        Files.createDirectory(folder.resolve("there"));

        for (String name : List.of("new/deep/losses.jsonl", "there/losses.jsonl")) {
            assertThatThrownBy(() -> LocalFiles.replaceBy(folder.resolve(name), out -> {
                        throw new IllegalArgumentException("refused");
                    }))
                    .hasMessage("refused");
        }

        assertThat(folder.resolve("new")).doesNotExist();
        assertThat(folder.resolve("there")).isEmptyDirectory();
        LocalFiles.replaceBy(folder.resolve("new/losses.jsonl"), out -> out.append("a line"));
        assertThat(folder.resolve("new/losses.jsonl")).hasContent("a line");
    }

    /** A part of {@code file} that nobody has written to for {@code age}. */
    private Path left(String file, Duration age) throws IOException {
        Path part = Files.writeString(folder.resolve(".%s.%s".formatted(file, UUID.randomUUID())), "a part");
        return Files.setLastModifiedTime(part, FileTime.from(Instant.now().minus(age)));
    }
}
