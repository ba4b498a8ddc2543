package org.sparkqlora.optim;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.NullMarked;
import org.sparkqlora.quant.GoldenFile;

/** Reads the tables of transformers' schedules. */
@NullMarked
final class ScheduleGoldenJson {
    private ScheduleGoldenJson() {}

    static List<Table> read() {
        JsonNode root = parse(GoldenFile.text("optim/lr_schedules.json"));
        double base = root.required("base_lr").doubleValue();
        int steps = root.required("num_training_steps").intValue();
        return StreamSupport.stream(root.required("tables").spliterator(), false)
                .map(table -> new Table(
                        table.required("name").textValue(),
                        base,
                        table.required("num_warmup_steps").intValue(),
                        steps,
                        StreamSupport.stream(table.required("lr").spliterator(), false)
                                .map(JsonNode::doubleValue)
                                .toList()))
                .toList();
    }

    private static JsonNode parse(String text) {
        try {
            return new ObjectMapper().readTree(text);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException("Failed to parse the schedules", e);
        }
    }

    /** Rates of updates 0 to {@code steps}. */
    record Table(String name, double base, int warmupSteps, int steps, List<Double> rates) {
        Table {
            rates = List.copyOf(rates);
        }

        @Override
        public String toString() {
            return name + " with " + warmupSteps + " to warm up";
        }
    }
}
