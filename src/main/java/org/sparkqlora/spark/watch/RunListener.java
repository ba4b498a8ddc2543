package org.sparkqlora.spark.watch;

import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerEvent;
import org.apache.spark.status.ElementTrackingStore;
import org.apache.spark.util.kvstore.KVStore;
import scala.runtime.BoxedUnit;

/** Keeps a {@link RunView} of every run of an application in the store that its pages read. */
public final class RunListener extends SparkListener {
    private static final int NEWEST_RUNS = 20;

    private final KVStore store;
    private final boolean atOnce;
    private final Map<String, RunState> runs = new LinkedHashMap<>();

    private RunListener(KVStore store, boolean atOnce) {
        this.store = store;
        this.atOnce = atOnce;
    }

    /** For an application that runs: the store always has the newest state. */
    public static RunListener live(KVStore store) {
        return new RunListener(store, true);
    }

    /** For events that are read from a log, all at once: the store gets the last state. */
    public static RunListener replayed(ElementTrackingStore store) {
        RunListener listener = new RunListener(store, false);
        store.onFlush(() -> {
            listener.writeAll();
            return BoxedUnit.UNIT;
        });
        return listener;
    }

    @Override
    public void onOtherEvent(SparkListenerEvent event) {
        if (event instanceof RunEvent ours) {
            take(ours);
        }
    }

    private synchronized void take(RunEvent event) {
        if (event instanceof RunStarted start) {
            runs.put(start.run(), new RunState(start));
            forgetTheOldest();
        }

        RunState state = runs.get(event.run());
        if (state == null) {
            return; // its start was dropped by a bus that could not keep up, or is forgotten
        }

        state.accept(event);
        if (atOnce) {
            write(state);
        }
    }

    private synchronized void writeAll() {
        runs.values().forEach(this::write);
    }

    private void write(RunState state) {
        try {
            store.write(state.view());
        } catch (Exception e) {
            throw new IllegalStateException("Failed to keep the state of a run", e);
        }
    }

    private void forgetTheOldest() {
        if (runs.size() <= NEWEST_RUNS) {
            return;
        }

        String oldest = runs.keySet().iterator().next();
        runs.remove(oldest);
        if (atOnce) {
            delete(oldest);
        }
    }

    private void delete(String run) {
        try {
            store.delete(RunView.class, run);
        } catch (Exception e) {
            throw new IllegalStateException("Failed to forget a run", e);
        }
    }
}
