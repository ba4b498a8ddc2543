package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The files of {@code deploy}, by the schemas of those who read them. */
@Tag("python")
class DeployFilesIT {
    /** As many as are in the files. */
    private static final int COMMANDS = 13;

    @Test
    void everyFileIsKnownToItsReaderAndEveryCommandToTheProgram(@TempDir Path folder)
            throws IOException, InterruptedException {
        Airflow.Run check = Airflow.withoutDatabase(folder)
                .script("check_deploy.py", Path.of("").toAbsolutePath().toString());

        assertThat(check.code()).as(check.log()).isZero();
        List<String> commands =
                check.log().lines().filter(line -> line.startsWith("[")).toList();
        assertThat(commands).hasSize(COMMANDS).allSatisfy(line -> {
            List<String> words = new ObjectMapper().readValue(line, new TypeReference<>() {});
            assertThat(CommandCall.of(SparkQlora.commandLine().parseArgs(words.toArray(String[]::new)))
                            .usage())
                    .as(line)
                    .isEmpty();
        });
    }
}
