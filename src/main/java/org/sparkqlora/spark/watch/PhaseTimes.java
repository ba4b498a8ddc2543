package org.sparkqlora.spark.watch;

import java.util.LinkedHashMap;
import java.util.Map;
import org.sparkqlora.train.metrics.StepSeconds;

/** Seconds of one or more steps by phase; they add up to the whole time. */
public record PhaseTimes(
        double computing,
        double loading,
        double waiting,
        double replaying,
        double reading,
        double exchange,
        double update) {
    public static final PhaseTimes ZERO = new PhaseTimes(0, 0, 0, 0, 0, 0, 0);

    static PhaseTimes of(StepSeconds times) {
        return new PhaseTimes(
                times.tasks().computing(),
                times.tasks().loading(),
                times.tasks().waiting(),
                times.tasks().replaying(),
                times.tasks().reading(),
                times.exchange(),
                times.update());
    }

    public double total() {
        return computing + loading + waiting + replaying + reading + exchange + update;
    }

    PhaseTimes plus(PhaseTimes other) {
        return new PhaseTimes(
                computing + other.computing,
                loading + other.loading,
                waiting + other.waiting,
                replaying + other.replaying,
                reading + other.reading,
                exchange + other.exchange,
                update + other.update);
    }

    /** Seconds by the name of the phase, in the order that people read them. */
    public Map<String, Double> byName() {
        Map<String, Double> names = new LinkedHashMap<>();
        names.put("compute", computing);
        names.put("exchange", exchange);
        names.put("update", update);
        names.put("load", loading);
        names.put("read", reading);
        names.put("replay", replaying);
        names.put("wait", waiting);
        return names;
    }
}
