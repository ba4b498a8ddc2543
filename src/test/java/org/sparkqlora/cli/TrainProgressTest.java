package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.sparkqlora.train.Straggler;

class TrainProgressTest {
    @Test
    void namesTheExecutorThatHoldsTheOthersUp() {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        PrintStream stream = new PrintStream(err, true, StandardCharsets.UTF_8);
        TrainProgress progress = new TrainProgress(new Console(stream, stream, Console.Kind.LOG), () -> 0);

        progress.straggling(new Straggler("executor 2 on host-b", 1.84));

        assertThat(err.toString(StandardCharsets.UTF_8))
                .contains("executor 2 on host-b takes 1.8 times as long for a token as the others");
    }
}
