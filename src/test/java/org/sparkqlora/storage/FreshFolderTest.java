package org.sparkqlora.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.UUID;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.input.BadInputException;

class FreshFolderTest {
    private static final FileTime LONG_AGO = FileTime.from(Instant.now().minus(2, ChronoUnit.DAYS));

    private final FileSystem files = LocalFiles.system();

    @TempDir
    private Path folder;

    private Path source;
    private Path target;

    @BeforeEach
    void writeSource() throws IOException {
        source = Files.createDirectory(folder.resolve("source"));
        target = folder.resolve("model");
        Files.writeString(source.resolve("config.json"), "new");
    }

    @Test
    void whatACopyThatWasKilledLeftIsSweptByTheNextOne() throws IOException {
        Path killed = begun(".model.tmp-" + UUID.randomUUID(), LONG_AGO);
        Path empty = Files.createDirectory(folder.resolve(".model.tmp-" + UUID.randomUUID()));
        Files.setLastModifiedTime(empty, LONG_AGO);

        copy();

        assertThat(killed).doesNotExist();
        assertThat(empty).doesNotExist();
        assertThat(target.resolve("config.json")).hasContent("new");
    }

    @Test
    void whatAnotherProcessMayBeWritingStays() throws IOException {
        Path writing = begun(".model.tmp-" + UUID.randomUUID(), FileTime.from(Instant.now()));
        Path beginning = Files.createDirectory(folder.resolve(".model.tmp-" + UUID.randomUUID()));

        copy();

        assertThat(writing.resolve("config.json")).hasContent("half");
        assertThat(beginning).isEmptyDirectory();
    }

    @Test
    void whatDoesNotBearTheMarkStays() throws IOException {
        Path ofAnother = begun(".model-2.tmp-" + UUID.randomUUID(), LONG_AGO);
        Path ofSomebody = begun(".model.tmp-backup", LONG_AGO);
        Path elsewhere = begun("elsewhere", LONG_AGO);
        Files.createSymbolicLink(folder.resolve(".model.tmp-" + UUID.randomUUID()), elsewhere);

        copy();

        assertThat(ofAnother.resolve("config.json")).exists();
        assertThat(ofSomebody.resolve("config.json")).exists();
        assertThat(elsewhere.resolve("config.json")).exists();
    }

    @Test
    void whatSomebodyElseMadeMeanwhileStays() throws IOException {
        try (FreshFolder fresh =
                FreshFolder.begin(files, new org.apache.hadoop.fs.Path(target.toUri()), name -> true)) {
            fresh.add("config.json", out -> out.write('a'));
            Files.writeString(Files.createDirectory(target).resolve("config.json"), "theirs");

            assertThatThrownBy(fresh::commit)
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith("Cannot write file:" + target)
                    .hasMessageContaining("found one that was made meanwhile");
        }

        assertThat(target.resolve("config.json")).hasContent("theirs");
        assertThat(folder).isDirectoryNotContaining("glob:**/.model.*");
    }

    private Path begun(String name, FileTime written) throws IOException {
        Path begun = Files.createDirectory(folder.resolve(name));
        Path file = Files.writeString(begun.resolve("config.json"), "half");
        Files.setLastModifiedTime(file, written);
        Files.setLastModifiedTime(begun, written);
        return begun;
    }

    private void copy() {
        FolderCopy.write(files, LocalFiles.path(source), files, LocalFiles.path(target));
    }
}
