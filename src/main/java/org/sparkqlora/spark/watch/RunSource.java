package org.sparkqlora.spark.watch;

import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.spark.SparkEnv;
import org.apache.spark.metrics.source.Source;

/**
 * A run's newest values among the driver's metrics, as {@code qlora.loss} and so on, for any sink of Spark's metrics system:
 * Prometheus, JMX, Graphite. A run beside another, as in a sweep of MLlib with parallelism, is {@code qlora-2}.
 */
public final class RunSource implements Source, Consumer<RunEvent>, AutoCloseable {
    /** Spark's metrics are those of the process, and so are the names in use. */
    private static final Set<String> NAMES = ConcurrentHashMap.newKeySet();

    private final String name;
    private final MetricRegistry registry = new MetricRegistry();
    private final Map<String, Number> values = new ConcurrentHashMap<>();
    private final Map<String, MemorySeen> memory = new ConcurrentHashMap<>();
    private final AtomicLong faults = new AtomicLong();

    private RunSource(String name) {
        this.name = name;
        gauge("faults", faults::get);
        gauge("workers", memory::size);
        gauge(
                "residentBytes",
                () -> memory.values().stream()
                        .mapToLong(MemorySeen::residentBytes)
                        .max()
                        .orElse(0));
        gauge(
                "peakBytes",
                () -> memory.values().stream()
                        .mapToLong(MemorySeen::peakBytes)
                        .max()
                        .orElse(0));
    }

    /** Among the metrics of this process until it is closed. */
    public static RunSource register() {
        RunSource source = new RunSource(freeName());
        SparkEnv.get().metricsSystem().registerSource(source);
        return source;
    }

    @Override
    public String sourceName() {
        return name;
    }

    @Override
    public MetricRegistry metricRegistry() {
        return registry;
    }

    @Override
    public void accept(RunEvent event) {
        if (event instanceof RunStarted start) {
            set("steps", start.steps());
            set("step", start.doneSteps());
        } else if (event instanceof StepTaken taken) {
            take(taken);
        } else if (event instanceof HeldOutMeasured measured) {
            set("heldOutLoss", measured.loss());
        } else if (event instanceof CheckpointWritten written) {
            set("checkpointStep", written.step());
        } else if (event instanceof MemorySeen seen) {
            memory.put(seen.worker(), seen);
        } else if (event instanceof FaultSeen) {
            faults.incrementAndGet();
        }
    }

    @Override
    public void close() {
        SparkEnv process = SparkEnv.get();
        if (process != null) {
            process.metricsSystem().removeSource(this);
        }

        NAMES.remove(name);
    }

    private static String freeName() {
        return Stream.iterate(1, number -> number + 1)
                .map(number -> number == 1 ? "qlora" : "qlora-" + number)
                .filter(NAMES::add)
                .findFirst()
                .orElseThrow();
    }

    private void take(StepTaken taken) {
        memory.values().removeIf(seen -> seen.isPast(taken.timeMillis()));
        set("step", taken.step());
        set("loss", taken.loss());
        set("learningRate", taken.learningRate());
        set("tokensPerSecond", taken.tokensPerSecond());
        set("stepSeconds", taken.seconds().total());
        set("computeSeconds", taken.seconds().computing());
        Double norm = taken.gradientNorm();
        if (norm != null) {
            set("gradientNorm", norm);
        }

        taken.measures().forEach((name, value) -> set(name.replace('/', '_'), value));
    }

    /** A metric appears with its first value. */
    private void set(String name, Number value) {
        if (values.put(name, value) == null) {
            gauge(name, () -> values.get(name));
        }
    }

    private void gauge(String name, Gauge<Number> gauge) {
        registry.register(name, gauge);
    }
}
