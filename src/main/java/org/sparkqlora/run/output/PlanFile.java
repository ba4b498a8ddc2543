package org.sparkqlora.run.output;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.options.Console;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.TrainPlanJson;

/** {@code plan.json} of an output folder: what was begun there, and so what may go on there. */
public final class PlanFile {
    private static final String LONGER =
            ". More steps go on from here where --schedule is constant, so that rates do not depend on their number, and where the last"
                    + " batch was whole; otherwise train on in another --output with --init-adapter and the adapter of this one";

    private final Location folder;
    private final Location file;

    public PlanFile(Location folder) {
        this.folder = folder;
        this.file = folder.resolve(RunFiles.PLAN);
    }

    /** Whether another plan than {@code plan} was begun here. */
    public boolean isOfAnother(TrainPlan plan) {
        return recorded()
                .filter(before -> !plan.begunAs(before).goesOnFrom(before))
                .isPresent();
    }

    public Optional<TrainPlan> recorded() {
        return read(file);
    }

    /** The plan in a file; none where there is no such file. */
    public static Optional<TrainPlan> read(Location file) {
        try {
            return file.text().map(TrainPlanJson::read);
        } catch (BadInputException e) {
            throw new BadInputException("%s: %s".formatted(file, e.getMessage()), e);
        }
    }

    /** The fingerprint of the rows of the plan that was begun here; null where none was. */
    @Nullable
    public String rows() {
        return recorded().map(TrainPlan::data).orElse(null);
    }

    /** Throws if the plan that was begun here is on a base of other weights at the same place. */
    public void requireBase(String model, String fingerprint) {
        recorded()
                .filter(before -> before.model().equals(model))
                .map(TrainPlan::base)
                .filter(base -> !base.equals(fingerprint))
                .ifPresent(base -> {
                    throw refused("the weights of %s were replaced (their fingerprint is %s, was %s)"
                            .formatted(model, fingerprint, base));
                });
    }

    /** Throws if a plan on other rows was begun here; to be asked before the rows of that plan are replaced. */
    public void requireData(String fingerprint) {
        recorded()
                .map(TrainPlan::data)
                .filter(data -> !data.equals(fingerprint))
                .ifPresent(data -> {
                    throw refused("the data, its tokenizer or how rows are made of it (their fingerprint is %s, was %s)"
                            .formatted(fingerprint, data));
                });
    }

    /**
     * The plan, with what the run took out of its base if it has begun; throws if another plan was begun here, unless this one has more
     * steps and the same first ones, which is told. Of a run that has not begun, nothing is known to be taken.
     */
    public TrainPlan goingOn(TrainPlan plan, Console console) {
        return recorded()
                .map(before -> {
                    TrainPlan same = plan.begunAs(before);
                    requireGoesOn(before, same);
                    tellOfMoreSteps(before, same, console);
                    return same;
                })
                .orElse(plan);
    }

    void write(TrainPlan plan) {
        file.replaceText(TrainPlanJson.write(plan));
    }

    private void requireGoesOn(TrainPlan before, TrainPlan plan) {
        if (plan.goesOnFrom(before)) {
            return;
        }

        PlanDifference difference = PlanDifference.of(before, plan);
        throw refused(difference.length() ? difference + LONGER : difference.toString());
    }

    private static void tellOfMoreSteps(TrainPlan before, TrainPlan plan, Console console) {
        int steps = plan.batches().steps();
        if (before.batches().steps() != steps) {
            console.note(
                    "goes on from %d to %d steps; the warm-up stays as it began, of %d steps",
                    before.batches().steps(), steps, plan.schedule().warmupSteps());
        }
    }

    private IllegalArgumentException refused(String difference) {
        return new BadInputException(
                "Cannot continue in %s, where another plan was begun: %s. Choose another --output, or --overwrite it."
                        .formatted(folder, difference));
    }
}
