package org.sparkqlora.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.ChildJvm;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.command.Failure;

class TokenizerNativesTest {
    @TempDir
    private Path folder;

    /** As a full disk does. */
    @Test
    void aLibraryThatCannotBeUnpackedIsNoBadTokenizer() throws IOException, InterruptedException {
        Path taken = Files.createFile(folder.resolve("taken"));
        Path told = folder.resolve("told.txt");

        new ProcessBuilder(ChildJvm.command(
                        List.of("-DDJL_CACHE_DIR=" + taken.resolve("cache")),
                        Opening.class,
                        List.of(folder.resolve("tokenizer.json").toString())))
                .redirectErrorStream(true)
                .redirectOutput(told.toFile())
                .start()
                .waitFor();

        assertThat(Files.readString(told))
                .contains(
                        ExitCode.RESUMABLE + " [IllegalStateException: Failed to load the tokenizers' native library");
    }

    /** Opens a tokenizer, and tells what a command would of its failure. */
    static final class Opening {
        private Opening() {}

        public static void main(String[] args) {
            try {
                TokenizerNatives.open(Path.of(args[0]), "{}").close();
            } catch (RuntimeException e) {
                Failure failure = Failure.of(e);
                System.out.println(failure.code() + " " + failure.reasons());
            }
        }
    }
}
