package org.sparkqlora.spark.replica;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.spark.cluster.ScratchFolder;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.StateHome;

/** The trained values of a State that executors hold, in the driver's process from when it has asked for them until the State changes. */
final class FetchedParameters implements AutoCloseable {
    private final Workers workers = new Workers(1);
    private final RunHandle run;
    private @Nullable FlatVector here;

    FetchedParameters(RunHandle run) {
        this.run = run;
    }

    /** @param fetch brings them to a home in this process */
    FlatVector get(Function<StateHome, FlatVector> fetch) {
        FlatVector fetched = here;
        if (fetched == null) {
            fetched = fetch.apply(new StateHome(workers, run.paging(), ScratchFolder.ofProcess()));
            here = fetched;
        }

        return fetched;
    }

    void forget() {
        if (here != null) {
            here.close();
            here = null;
        }
    }

    @Override
    public void close() {
        forget();
        workers.close();
    }
}
