package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FoldersTest {
    @TempDir
    private Path folder;

    @Test
    void theFirstOfTwoThatArePublishedStays() throws IOException {
        Path name = folder.resolve("name");

        Folders.publish(made("first"), name);
        Folders.publish(made("second"), name);

        assertThat(name.resolve("file")).hasContent("first");
        assertThat(folder.resolve("second")).doesNotExist();
    }

    @Test
    void aFolderThatIsNotThereIsNotPublished() {
        assertThatThrownBy(() -> Folders.publish(folder.resolve("none"), folder.resolve("name")))
                .isInstanceOf(NoSuchFileException.class)
                .hasMessageContaining("none");
    }

    private Path made(String text) throws IOException {
        Path made = Files.createDirectory(folder.resolve(text));
        Files.writeString(made.resolve("file"), text);
        return made;
    }
}
