package org.sparkqlora.options;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProblemsTest {
    /** A folder that nobody can write, not even root. */
    private static final Path READ_ONLY =
            FileSystems.getFileSystem(URI.create("jrt:/")).getPath("/modules/java.base");

    @TempDir
    private Path folder;

    private final Problems problems = new Problems();

    @Test
    void aFolderThatIsThereAlreadyMustBeWritable() {
        problems.requirePlaceForFolder("--to", folder);
        problems.requirePlaceForFolder("--to", folder.resolve("a/b"));
        problems.requirePlaceForFolder("--output", READ_ONLY);

        assertThat(problems.all())
                .containsExactly(
                        "--output: Cannot write to %s: expected a folder that this user may write, found no permission to write %s"
                                .formatted(READ_ONLY, READ_ONLY));
    }

    @Test
    void oneThatHoldsSomethingMayHoldWhatWouldBeWritten() {
        problems.requirePlaceOrContent("--prepared", folder);
        problems.requirePlaceOrContent("--prepared", READ_ONLY);
        problems.requirePlaceOrContent("--prepared", READ_ONLY.resolve("rows"));

        assertThat(problems.all()).hasSize(1).first().asString().startsWith("--prepared: Cannot write to");
    }
}
