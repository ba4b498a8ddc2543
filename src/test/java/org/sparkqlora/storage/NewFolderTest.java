package org.sparkqlora.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.input.BadInputException;

class NewFolderTest {
    @TempDir
    private Path folder;

    @Test
    void whatKilledProcessesLeftGoesAfterADay() throws IOException {
        Path old = left("model.tmp-" + UUID.randomUUID());
        Path oldBeside = left(".model.tmp-" + UUID.randomUUID() + "/merged").getParent();
        Path other = left("other.tmp-" + UUID.randomUUID());
        Path growing = left("model.tmp-" + UUID.randomUUID());
        Files.writeString(growing.resolve("file"), "still written");

        try (NewFolder made = NewFolder.begin(folder.resolve("model"))) {
            made.commit();
        }

        assertThat(old).doesNotExist();
        assertThat(oldBeside).doesNotExist();
        assertThat(other).exists();
        assertThat(growing).exists();
    }

    @Test
    void aFolderThatSomebodyMakesMeanwhileStays() throws IOException {
        Path target = folder.resolve("model");
        try (NewFolder made = NewFolder.begin(target)) {
            Path theirs = Files.writeString(Files.createDirectory(target).resolve("file"), "theirs");

            assertThatThrownBy(made::commit)
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("found one that was made meanwhile");

            assertThat(theirs).hasContent("theirs");
        }

        assertThat(folder.toFile().list()).containsExactly("model");
    }

    /** A folder with a file, neither of which has changed for two days. */
    private Path left(String name) throws IOException {
        Path made = Files.createDirectories(folder.resolve(name));
        FileTime then = FileTime.from(Instant.now().minus(Duration.ofDays(2)));
        Files.setLastModifiedTime(Files.writeString(made.resolve("file"), "text"), then);
        for (Path each = made; !each.equals(folder); each = Objects.requireNonNull(each.getParent())) {
            Files.setLastModifiedTime(each, then);
        }

        return made;
    }
}
