package org.sparkqlora.run.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.Terminal;
import org.sparkqlora.spark.watch.CurvePoint;
import org.sparkqlora.spark.watch.RunFacts;
import org.sparkqlora.spark.watch.RunRecord;
import org.sparkqlora.spark.watch.RunWatch;
import org.sparkqlora.train.metrics.PhaseSeconds;
import org.sparkqlora.train.metrics.ProcessMemory;
import org.sparkqlora.train.metrics.ProgressReporter;
import org.sparkqlora.train.metrics.ShardReport;
import org.sparkqlora.train.metrics.StepMetrics;
import org.sparkqlora.train.metrics.StepSeconds;
import org.sparkqlora.train.metrics.Straggler;

class TrainProgressTest {
    private static final int WIDTH = 100;

    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final RunRecord record = new RunRecord();
    private long seconds = 1;

    @Test
    void namesTheExecutorThatHoldsTheOthersUp() {
        progress(Console.Kind.LOG).straggling(new Straggler("executor 2 on host-b", 1.84));

        assertThat(text()).contains("executor 2 on host-b takes 1.8 times as long for a token as the others");
    }

    @Test
    void aStepThatChangedNothingIsTold() {
        progress(Console.Kind.LOG).leftOut(1, 65536);

        assertThat(text())
                .contains("step 1  left out: its gradient overflowed at a loss scale of 65536; the next takes half");
    }

    @Test
    void aTerminalHasTwoLinesAndWhatHappenedAboveThem() {
        ProgressReporter progress = progress(Console.Kind.TERMINAL);
        progress.started(0, 40);
        for (int step = 1; step <= 20; step++) {
            progress.computed(List.of(
                    new ShardReport("driver", PhaseSeconds.ZERO, new ProcessMemory(1_000_000_000, 1_310_000_000))));
            progress.stepDone(step(step, 3.0 - step / 10.0));
            if (step == 10) {
                progress.checkpointed(10);
            }
        }

        List<String> screen = screen();

        assertThat(screen).hasSize(3);
        assertThat(screen.get(0)).isEqualTo("step 10  checkpoint written");
        assertThat(screen.get(1)).isEqualTo("loss ██▇▇▇▆▆▅▅▅▄▄▄▃▃▂▂▂▁▁  1.0000  lr 2.00e-04");
        assertThat(screen.get(2))
                .isEqualTo("step 20/40 ████████░░░░░░░░  500 tokens/s  0:40 left  1.3 GB  compute 75% exchange 25%");
        assertThat(screen).allMatch(line -> line.length() < WIDTH);
    }

    @Test
    void aRunThatStopsEarlyLeavesItsLinesAndAFreshOne() {
        PrintStream stream = new PrintStream(err, true, StandardCharsets.UTF_8);
        Console console = new Console(stream, stream, Console.Kind.TERMINAL, WIDTH);
        TrainProgress terminal = new TrainProgress(console, () -> 0, record);
        ProgressReporter progress = new RunWatch(facts(), step -> List.of(), record, () -> 0).and(terminal);
        progress.started(0, 40);
        progress.stepDone(step(1, 2));

        terminal.ended();
        terminal.ended();

        assertThat(screen()).hasSize(3).last().isEqualTo("");
    }

    @Test
    void aLogHasAPlainLineNowAndThenAndTheLastOne() {
        ProgressReporter progress = progress(Console.Kind.LOG);
        progress.started(0, 9);
        for (int step = 1; step <= 9; step++) {
            seconds += 2;
            progress.stepDone(step(step, 2));
        }

        assertThat(text().lines().map(line -> line.substring(0, line.indexOf("  "))))
                .containsExactly("step 1/9", "step 4/9", "step 7/9", "step 9/9");
        assertThat(text()).doesNotContain("\u001b");
    }

    @Test
    void aNarrowTerminalIsNeverFilledToItsLastColumn() {
        for (int width : new int[] {20, 40, 60}) {
            ProgressReporter progress = new RunWatch(facts(), step -> List.of(), record, () -> 0);
            progress.started(0, 10);
            progress.stepDone(step(1, 2));

            assertThat(new LiveView(width).lines(record.view().orElseThrow())).allMatch(line -> line.length() < width);
        }
    }

    @Test
    void aSparklineOfALongRunIsAsWideAsItMayBe() {
        List<CurvePoint> points = new ArrayList<>();
        for (int step = 1; step <= 333; step++) {
            points.add(new CurvePoint(step, 333 - step, 0, 0, 1));
        }

        assertThat(LiveView.sparkline(points, 8)).isEqualTo("█▇▆▅▄▃▂▁");
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({"'50 132', 132", "'0 0', 80", "'', 80", "'24 -1', 80"})
    void aTerminalThatDoesNotKnowItsWidthHasTheUsualOne(String size, int width) {
        assertThat(Terminal.columns(size)).isEqualTo(width);
    }

    @Test
    void whoAsksForPlainLinesGetsThem() {
        assertThat(Terminal.isLive(Map.of("TERM", "dumb"))).isFalse();
        assertThat(Terminal.isLive(Map.of("TERM", "xterm", "NO_COLOR", "1"))).isFalse();
    }

    private ProgressReporter progress(Console.Kind kind) {
        PrintStream stream = new PrintStream(err, true, StandardCharsets.UTF_8);
        Console console = new Console(stream, stream, kind, WIDTH);
        TrainProgress terminal = new TrainProgress(console, () -> seconds * 1_000_000_000L, record);
        return new RunWatch(facts(), step -> List.of(), record, () -> 0).and(terminal);
    }

    private static RunFacts facts() {
        return new RunFacts("run", Map.of(), 0);
    }

    private static StepMetrics step(int step, double loss) {
        return new StepMetrics(
                step,
                loss,
                800,
                1000,
                2e-4,
                OptionalDouble.empty(),
                OptionalDouble.empty(),
                new StepSeconds(new PhaseSeconds(0, 0, 0, 0, 1.5), 0.5, 0),
                Map.of(),
                0);
    }

    private String text() {
        return err.toString(StandardCharsets.UTF_8);
    }

    /** The text that a terminal shows. */
    private List<String> screen() {
        List<String> lines = new ArrayList<>();
        StringBuilder line = new StringBuilder();
        String rest = text();
        while (!rest.isEmpty()) {
            if (rest.startsWith("\r\u001b[1A\u001b[J")) {
                line.setLength(0);
                lines.remove(lines.size() - 1);
                rest = rest.substring("\r\u001b[1A\u001b[J".length());
            } else if (rest.startsWith("\n")) {
                lines.add(line.toString());
                line.setLength(0);
                rest = rest.substring(1);
            } else {
                line.append(rest.charAt(0));
                rest = rest.substring(1);
            }
        }

        lines.add(line.toString());
        return lines;
    }
}
