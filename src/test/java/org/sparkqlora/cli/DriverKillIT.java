package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;

/** The driver's process is killed, with no chance to do anything, and the same command is run again. */
class DriverKillIT {
    private static final int STEPS = 60;
    private static final int KILLS = 3;
    private static final long SEED = 20;
    private static final String[] OPTIONS = {"--max-steps", "" + STEPS, "--checkpoint-every", "4"};

    @TempDir
    Path folder;

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @Test
    void aRunThatIsKilledAtRandomStepsEndsAsIfItHadNotBeen() throws IOException, InterruptedException {
        TrainRuns runs = TrainRuns.in(folder);
        String calm = folder.resolve("calm").toString();
        assertThat(runs.train(calm, OPTIONS).code()).isEqualTo(ExitCode.OK);

        Path killed = folder.resolve("killed");
        SplittableRandom random = new SplittableRandom(SEED);
        for (int kill = 0; kill < KILLS; kill++) {
            int step = kill * STEPS / KILLS + random.nextInt(6, STEPS / KILLS);
            DriverProcess driver = DriverProcess.start(
                    folder.resolve("driver.log"), List.of(), runs.command(killed.toString(), OPTIONS));
            driver.killOnce(() -> hasTaken(step, killed.resolve("metrics.jsonl")));
            assertThat(killed.resolve("adapter")).doesNotExist();
        }

        CommandRun last = runs.train(killed.toString(), OPTIONS);

        assertThat(last.code()).as(last.err()).isEqualTo(ExitCode.OK);
        assertThat(last.err()).contains("resumed after step");
        StoredRun run = StoredRun.read(killed.toString());
        assertThat(run.metrics()).hasSize(STEPS);
        run.assertEquals(StoredRun.read(calm));
    }

    private static boolean hasTaken(int step, Path metrics) throws IOException {
        return Files.exists(metrics) && Files.readString(metrics).contains("{\"step\":%d,".formatted(step));
    }
}
