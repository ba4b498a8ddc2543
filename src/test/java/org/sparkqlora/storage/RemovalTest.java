package org.sparkqlora.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RemovalTest {
    private static final int MANY = 100;

    @TempDir
    Path folder;

    @Test
    void manyFilesGoSideBySideAfterOneListing() throws IOException {
        writeMany();
        Files.createFile(folder.resolve("kept"));
        org.apache.hadoop.fs.Path stored = new org.apache.hadoop.fs.Path(CountingStore.path(folder));
        FileSystem files = stored.getFileSystem(CountingStore.install());
        CountingStore.answerTogether(StoreRequests.AT_ONCE);

        Removal.filesIn(files, stored, name -> !name.equals("kept"));

        assertThat(folder.toFile().list()).containsExactly("kept");
        assertThat(CountingStore.DELETES).hasValue(MANY);
        assertThat(CountingStore.LISTINGS).hasValue(1);
    }

    @Test
    void noFolderHasNoFiles() throws IOException {
        org.apache.hadoop.fs.Path missing =
                new org.apache.hadoop.fs.Path(CountingStore.path(folder.resolve("missing")));

        Removal.filesIn(missing.getFileSystem(CountingStore.install()), missing, name -> true);

        assertThat(CountingStore.DELETES).hasValue(0);
    }

    @Test
    void createdFilesGoAfterOneListingAFolderAndThoseOfOthersStay() throws IOException {
        org.apache.hadoop.fs.Path inside = new org.apache.hadoop.fs.Path(CountingStore.path(folder.resolve("inside")));
        FileSystem files = inside.getFileSystem(CountingStore.install());
        CreatedFiles created = new CreatedFiles(files);
        created.createFolder(inside);
        for (int i = 0; i < MANY; i++) {
            created.note(new org.apache.hadoop.fs.Path(inside, "file-" + i));
        }

        Files.createFile(folder.resolve("inside/file-7"));
        Files.createFile(folder.resolve("inside/file-of-another"));

        created.remove();

        assertThat(folder.resolve("inside").toFile().list()).containsExactly("file-of-another");
        assertThat(CountingStore.DELETES).hasValue(1);
    }

    private void writeMany() throws IOException {
        for (int i = 0; i < MANY; i++) {
            Files.createFile(folder.resolve("file-" + i));
        }
    }
}
