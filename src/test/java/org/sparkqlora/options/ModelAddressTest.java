package org.sparkqlora.options;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.sparkqlora.cli.CommandRun;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.spark.cluster.Location;

class ModelAddressTest {
    private final ModelAddress address = new ModelAddress();

    @Test
    void whatIsNotHereAndLooksLikeANameIsOnAHub() {
        assertThat(address.convert("org/name")).hasToString("hf://org/name@main");
        assertThat(address.convert("org/name@v1.0")).hasToString("hf://org/name@v1.0");
    }

    @Test
    void whatIsHereIsHere() {
        assertThat(address.convert("src/test")).isEqualTo(Location.of(Path.of("src/test")));
        assertThat(address.convert("/models/name")).hasToString("/models/name");
        assertThat(address.convert("s3a://bucket/name")).hasToString("s3a://bucket/name");
    }

    @Test
    void aRevisionIsForAHub() {
        CommandRun run =
                CommandRun.of("evaluate", "--model", "/models/name", "--revision", "v1", "--data", "data.jsonl");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("--revision: expected a --model on a hub with it, found /models/name");
    }
}
