package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;

/** Locales whose numbers have digits of their own. */
class ForeignDigitsTest {
    @TempDir
    private static Path folder;

    private static TrainRuns runs;

    @BeforeAll
    static void writeInput() throws IOException {
        runs = TrainRuns.in(folder);
        train("english");
        merge("english");
    }

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"ar-EG", "fa-IR-u-nu-arabext", "mr-IN-u-nu-deva"})
    void changeNoByteOfWhatIsTrainedAndExported(String tag) throws IOException {
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.forLanguageTag(tag));
        try {
            assertThat("%d".formatted(17)).doesNotContain("17");

            CommandRun trained = train(tag);
            CommandRun merged = merge(tag);

            assertThat(trained.code()).as(trained.err()).isEqualTo(ExitCode.OK);
            assertThat(merged.code()).as(merged.err()).isEqualTo(ExitCode.OK);
            assertThat(trained.err() + merged.err()).doesNotContainPattern("[٠-٩۰-۹०-९]");
        } finally {
            Locale.setDefault(before);
        }

        StoredRun.read(output(tag)).assertEquals(StoredRun.read(output("english")));
        assertThat(folder.resolve(tag + "-merged/model.safetensors"))
                .hasSameBinaryContentAs(folder.resolve("english-merged/model.safetensors"));
    }

    private static CommandRun train(String name) {
        return runs.train(output(name), "--max-steps", "2");
    }

    private static CommandRun merge(String name) {
        List<String> line = List.of(
                "merge",
                "--model",
                runs.model(),
                "--adapter",
                output(name) + "/adapter",
                "--output",
                folder.resolve(name + "-merged").toString());
        return CommandRun.of(line.toArray(String[]::new));
    }

    private static String output(String name) {
        return folder.resolve(name).toString();
    }
}
