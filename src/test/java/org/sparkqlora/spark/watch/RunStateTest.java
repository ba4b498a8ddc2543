package org.sparkqlora.spark.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RunStateTest {
    private static final RunStarted START =
            new RunStarted("r", 0, "run", 0, 100_000, List.of(), List.of(), Map.of(), 7);

    @Test
    void aLongRunTakesNoMoreThanAShortOne() {
        RunState state = new RunState(START);
        for (int step = 1; step <= 100_000; step++) {
            state.accept(taken(step, 5.0 - step / 50_000.0));
            state.accept(new FaultSeen("r", step, step, "a fault"));
        }

        RunView view = state.view();

        assertThat(view.curves().loss()).hasSizeBetween(Curve.LONGEST / 2, Curve.LONGEST);
        assertThat(view.faults()).hasSize(100);
        assertThat(view.faultCount()).isEqualTo(100_000);
        assertThat(view.step()).isEqualTo(100_000);
    }

    @Test
    void aWorkerThatLeftIsForgotten() {
        RunState state = new RunState(START);
        MemorySeen stayed = new MemorySeen("r", MemorySeen.LASTING_MILLIS, "executor 2 on b", 5, 7);
        state.accept(new MemorySeen("r", 0, "executor 1 on a", 5, 7));
        state.accept(stayed);

        state.accept(taken(MemorySeen.LASTING_MILLIS, 1));
        assertThat(state.view().memory()).hasSize(2);
        state.accept(taken(MemorySeen.LASTING_MILLIS + 1, 1));
        assertThat(state.view().memory()).containsExactly(stayed);
    }

    @Test
    void joinedPointsKeepMeanExtremesAndEveryValue() {
        Curve curve = new Curve();
        for (int step = 1; step <= 5_000; step++) {
            curve.add(step, step % 7);
        }

        List<CurvePoint> points = curve.points();

        assertThat(points.stream().mapToInt(CurvePoint::count).sum()).isEqualTo(5_000);
        assertThat(points.get(points.size() - 1).step()).isEqualTo(5_000);
        assertThat(points.get(0).low()).isZero();
        assertThat(points.get(0).high()).isEqualTo(6);
        double sum =
                points.stream().mapToDouble(each -> each.mean() * each.count()).sum();
        double expected = IntStream.rangeClosed(1, 5_000).map(step -> step % 7).sum();
        assertThat(sum).isCloseTo(expected, offset(1e-6));
    }

    @Test
    void stepsBeforeAResumptionAreDrawnButNotTimed() {
        RunState state = new RunState(
                new RunStarted("r", 0, "run", 2, 4, List.of(taken(1, 3), taken(2, 2)), List.of(), Map.of(), 7));
        state.accept(taken(3, 1));

        RunView view = state.view();

        assertThat(view.curves().loss()).extracting(CurvePoint::mean).containsExactly(3.0, 2.0, 1.0);
        assertThat(view.curves().measures().get("rewards/margins"))
                .extracting(CurvePoint::mean)
                .containsExactly(3.0, 2.0, 1.0);
        assertThat(view.phases().total()).isEqualTo(2);
        assertThat(view.secondsLeft()).isEqualTo(2);
    }

    @Test
    void aRunThatFailsSaysWhy() {
        RunState state = new RunState(START);
        state.accept(new RunEnded("r", 5, "no space"));

        assertThat(state.view().outcome()).isEqualTo(RunView.Outcome.FAILED);
        assertThat(state.view().failure()).isEqualTo("no space");
    }

    private static StepTaken taken(long step, double loss) {
        return new StepTaken(
                "r",
                step,
                step,
                loss,
                1e-4,
                null,
                10,
                new PhaseTimes(2, 0, 0, 0, 0, 0, 0),
                Map.of("rewards/margins", loss));
    }
}
