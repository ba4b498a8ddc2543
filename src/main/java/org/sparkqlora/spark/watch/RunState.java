package org.sparkqlora.spark.watch;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The state of one run, folded from its events. Its size does not grow with the run. */
public final class RunState {
    private static final int NEWEST_FAULTS = 100;
    private static final int MOST_WORKERS = 1000;

    /** Weight of the newest step in the running pace, so that the first step, which loads the model, is soon forgotten. */
    private static final double NEWEST = 0.3;

    private final RunStarted start;
    private final Curve loss = new Curve();
    private final Curve heldOut = new Curve();
    private final Curve learningRate = new Curve();
    private final Curve gradientNorm = new Curve();
    private final Curve tokensPerSecond = new Curve();
    private final Map<String, Curve> measures = new LinkedHashMap<>();
    private final Map<String, MemorySeen> memory = new LinkedHashMap<>();
    private final Deque<FaultSeen> faults = new ArrayDeque<>();
    private PhaseTimes phases = PhaseTimes.ZERO;
    private double secondsPerStep;
    private long step;
    private long checkpoint;
    private long faultCount;
    private long lastMillis;
    private @Nullable RunEnded end;

    public RunState(RunStarted start) {
        this.start = start;
        this.lastMillis = start.timeMillis();
        start.earlier().forEach(this::draw);
        start.earlierHeldOut().forEach(measured -> heldOut.add(measured.step(), measured.loss()));
        this.step = start.doneSteps();
    }

    /** Takes an event in. */
    public synchronized void accept(RunEvent event) {
        lastMillis = Math.max(lastMillis, event.timeMillis());
        if (event instanceof StepTaken taken) {
            take(taken);
        } else if (event instanceof HeldOutMeasured measured) {
            heldOut.add(measured.step(), measured.loss());
        } else if (event instanceof MemorySeen seen) {
            remember(seen);
        } else if (event instanceof FaultSeen fault) {
            remember(fault);
        } else if (event instanceof CheckpointWritten written) {
            checkpoint = written.step();
        } else if (event instanceof RunEnded ended) {
            end = ended;
        }
    }

    /** As it stands. */
    public synchronized RunView view() {
        return new RunView(
                start.run(),
                start.name(),
                start.timeMillis(),
                lastMillis,
                start.doneSteps(),
                step,
                start.steps(),
                outcome(end),
                end == null ? null : end.failure(),
                secondsPerStep,
                checkpoint,
                new RunCurves(
                        loss.points(),
                        heldOut.points(),
                        learningRate.points(),
                        gradientNorm.points(),
                        tokensPerSecond.points(),
                        measurePoints()),
                phases,
                new ArrayList<>(memory.values()),
                start.plannedBytes(),
                new ArrayList<>(faults),
                faultCount,
                start.parameters());
    }

    private void take(StepTaken taken) {
        long taking = Math.max(1, taken.step() - step); // several where shards take steps by themselves
        double pace = taken.seconds().total() / taking;
        secondsPerStep = secondsPerStep == 0 ? pace : secondsPerStep + NEWEST * (pace - secondsPerStep);
        step = taken.step();
        phases = phases.plus(taken.seconds());
        draw(taken);
        memory.values().removeIf(seen -> seen.isPast(taken.timeMillis()));
    }

    private void draw(StepTaken taken) {
        loss.add(taken.step(), taken.loss());
        learningRate.add(taken.step(), taken.learningRate());
        tokensPerSecond.add(taken.step(), taken.tokensPerSecond());
        Double norm = taken.gradientNorm();
        if (norm != null) {
            gradientNorm.add(taken.step(), norm);
        }

        taken.measures()
                .forEach((name, value) ->
                        measures.computeIfAbsent(name, any -> new Curve()).add(taken.step(), value));
    }

    private Map<String, List<CurvePoint>> measurePoints() {
        Map<String, List<CurvePoint>> points = new LinkedHashMap<>();
        measures.forEach((name, curve) -> points.put(name, curve.points()));
        return points;
    }

    private void remember(MemorySeen seen) {
        if (memory.size() < MOST_WORKERS || memory.containsKey(seen.worker())) {
            memory.put(seen.worker(), seen);
        }
    }

    private void remember(FaultSeen fault) {
        faultCount++;
        faults.addLast(fault);
        if (faults.size() > NEWEST_FAULTS) {
            faults.removeFirst();
        }
    }

    private static RunView.Outcome outcome(@Nullable RunEnded end) {
        if (end == null) {
            return RunView.Outcome.RUNNING;
        }

        return end.failure() == null ? RunView.Outcome.DONE : RunView.Outcome.FAILED;
    }
}
