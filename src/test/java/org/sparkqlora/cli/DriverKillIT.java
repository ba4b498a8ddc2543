package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
            killAfterStep(start(runs.command(killed.toString(), OPTIONS)), killed, step);
            assertThat(killed.resolve("adapter")).doesNotExist();
        }

        CommandRun last = runs.train(killed.toString(), OPTIONS);

        assertThat(last.code()).as(last.err()).isEqualTo(ExitCode.OK);
        assertThat(last.err()).contains("resumed after step");
        StoredRun run = StoredRun.read(killed.toString());
        assertThat(run.metrics()).hasSize(STEPS);
        run.assertEquals(StoredRun.read(calm));
    }

    private void killAfterStep(Process driver, Path output, int step) throws IOException, InterruptedException {
        try {
            while (!hasTaken(step, output.resolve("metrics.jsonl"))) {
                boolean ended = driver.waitFor(2, TimeUnit.MILLISECONDS);
                assertThat(ended).as("ended before step %d: %s", step, log()).isFalse();
            }
        } finally {
            driver.destroyForcibly().waitFor();
        }
    }

    private static boolean hasTaken(int step, Path metrics) throws IOException {
        return Files.exists(metrics) && Files.readString(metrics).contains("{\"step\":%d,".formatted(step));
    }

    private Process start(List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(argument -> !argument.startsWith("-javaagent:"))
                .forEach(command::add);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
        command.addAll(arguments);
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()))
                .start();
    }

    private Path log() {
        return folder.resolve("driver.log");
    }
}
