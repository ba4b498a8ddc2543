package org.sparkqlora.optim;

import java.util.List;
import org.sparkqlora.tensor.FlatVector;

/**
 * One step of an optimiser, a page at a time.
 *
 * @param pages the runs of parameters
 * @param store where their state is kept
 * @param parameters what moves
 * @param gradients what moves it
 * @param gradientScale factor on every gradient
 * @param updates the arithmetic of each page
 */
record PagedStep(
        List<StatePage> pages,
        PageStore store,
        FlatVector parameters,
        FlatVector gradients,
        float gradientScale,
        List<UpdateRule.ElementUpdate> updates) {
    void load(int page, PageFrame frame) {
        StatePage run = pages.get(page);
        parameters.read(run.from(), frame.parameters(), 0, run.count());
        gradients.read(run.from(), frame.gradient(), 0, run.count());
        store.read(page, frame.state().array());
    }

    /** Moves the parameters and the state in {@code frame}; {@code states} is room for the state decoded. */
    void move(int page, PageFrame frame, float[][] states) {
        StatePage run = pages.get(page);
        float[] gradient = frame.gradient();
        for (int i = 0; i < run.count(); i++) {
            gradient[i] *= gradientScale;
        }

        run.decode(frame.state().rewind(), states);
        updates.get(page).apply(frame.parameters(), gradient, states, run.count());
        run.encode(states, frame.state().rewind());
    }

    void store(int page, PageFrame frame) {
        StatePage run = pages.get(page);
        parameters.write(run.from(), frame.parameters(), 0, run.count());
        store.write(page, frame.state().array());
    }
}
