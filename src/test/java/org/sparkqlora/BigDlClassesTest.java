package org.sparkqlora;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The script that the build gets BigDL's classes from. */
@Tag("platform")
class BigDlClassesTest {
    @TempDir
    Path folder;

    @Test
    void aBuildThatCannotFetchTheWheelSaysSoInOneLineAndGoesOn() throws IOException, InterruptedException {
        assertThat(bigDl(folder.resolve("classes"))).matches("Building without BigDL: [^\\n]+\\R");
        assertThat(folder.resolve("classes")).doesNotExist();
    }

    @Test
    void aBuildWithoutBigDlStartsAfreshAfterOneWithIt() throws IOException, InterruptedException {
        Path classes = folder.resolve("classes");
        Path earlier = Files.createDirectories(classes.resolve("com/intel")).resolve("Earlier.class");
        Files.createFile(earlier);

        assertThat(bigDl(classes, "false")).isEmpty();
        assertThat(classes).doesNotExist();
    }

    /** The output on a machine that has no package index and nothing in its cache. */
    private String bigDl(Path classes, String... options) throws IOException, InterruptedException {
        ProcessBuilder script = new ProcessBuilder("python3", "src/build/bigdl.py", classes.toString());
        script.command().addAll(List.of(options));
        script.environment()
                .putAll(Map.of(
                        "HOME",
                        folder.toString(),
                        "PIP_NO_INDEX",
                        "1",
                        "PIP_FIND_LINKS",
                        "",
                        "PIP_CONFIG_FILE",
                        "none"));
        Process process = script.redirectErrorStream(true).start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(process.waitFor()).as(printed).isZero();
        return printed;
    }
}
