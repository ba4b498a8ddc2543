package org.sparkqlora.bigdl;

import com.intel.analytics.bigdl.dllib.utils.Table;
import java.util.List;
import org.sparkqlora.train.Trigger;

/** A trigger of BigDL, told of a run in the words of BigDL's state; its iterations are the steps taken. */
final class BigDlTrigger implements Trigger {
    private final com.intel.analytics.bigdl.dllib.optim.Trigger whole;
    private final List<AskedTrigger> parts;

    /** @param parts what {@code whole} is made of */
    BigDlTrigger(com.intel.analytics.bigdl.dllib.optim.Trigger whole, List<AskedTrigger> parts) {
        this.whole = whole;
        this.parts = List.copyOf(parts);
    }

    @Override
    public void begin(Progress from) {
        ask(from);
    }

    @Override
    public boolean isNow(Progress progress) {
        return whole.apply(ask(progress));
    }

    private Table ask(Progress progress) {
        Table state = new Table(new Object[0]);
        state.update("neval", (int) progress.step());
        state.update("epoch", (int) progress.epoch());
        state.update("Loss", (float) progress.loss());
        parts.forEach(part -> part.ask(state));
        return state;
    }
}
