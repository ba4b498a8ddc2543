package org.sparkqlora.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.TrainPlanJson;

/** {@code plan.json} of an output folder: what was begun there, and so what may go on there. */
final class PlanFile {
    static final String NAME = "plan.json";

    private final Path file;

    PlanFile(OutputFolder output) {
        this.file = output.resolve(NAME);
    }

    Optional<TrainPlan> recorded() {
        return Files.exists(file) ? Optional.of(read(file)) : Optional.empty();
    }

    static TrainPlan read(Path file) {
        try {
            return TrainPlanJson.read(Files.readString(file));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + file, e);
        }
    }

    /** Throws if a plan on other rows was begun here; to be asked before the rows of that plan are replaced. */
    void requireData(String fingerprint) {
        recorded()
                .map(TrainPlan::data)
                .filter(data -> !data.equals(fingerprint))
                .ifPresent(data -> {
                    throw refused("the data, its tokenizer or how rows are made of it (their fingerprint is %s, was %s)"
                            .formatted(fingerprint, data));
                });
    }

    /** Throws if another plan was begun here. */
    void require(TrainPlan plan) {
        recorded().ifPresent(before -> requireEqual(before, plan));
    }

    void write(TrainPlan plan) {
        try {
            Files.writeString(file, TrainPlanJson.write(plan));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write " + file, e);
        }
    }

    private void requireEqual(TrainPlan before, TrainPlan plan) {
        List<String> differences = TrainPlanJson.differences(before, plan);
        if (!differences.isEmpty()) {
            throw refused(String.join("; ", differences));
        }
    }

    private IllegalArgumentException refused(String difference) {
        return new IllegalArgumentException(
                "Cannot continue in %s, where another plan was begun: %s. Choose another --output, or delete this one."
                        .formatted(file.getParent(), difference));
    }
}
