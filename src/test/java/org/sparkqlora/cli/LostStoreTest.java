package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.command.demo.DemoModel;
import org.sparkqlora.options.Sessions;

/** A store that does not answer is no fault of the input: the same command may go on later. */
class LostStoreTest {
    private static final String RETRIES = "spark.hadoop.ipc.client.connect.max.retries";

    @TempDir
    private Path folder;

    @BeforeAll
    static void askOnce() {
        System.setProperty(RETRIES, "0");
    }

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
        System.clearProperty(RETRIES);
    }

    @Test
    void dataOfAStoreThatDoesNotAnswerEndsResumable() throws IOException {
        DemoModel.write(folder.resolve("model"), 1);
        String data = "hdfs://127.0.0.1:%d/data.jsonl".formatted(closedPort());
        Path output = folder.resolve("rows");

        CommandRun run = CommandRun.of(
                "prepare",
                "--model",
                folder.resolve("model").toString(),
                "--data",
                data,
                "--output",
                output.toString());

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.RESUMABLE);
        assertThat(run.err())
                .contains(data, "Connection refused", "The same command may be run again")
                .doesNotContain("\tat ");
        assertThat(output).doesNotExist();
    }

    private static int closedPort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
