package org.sparkqlora.bigdl;

import com.intel.analytics.bigdl.dllib.optim.Trigger;
import com.intel.analytics.bigdl.dllib.utils.Table;

/**
 * A trigger that was asked before its answer is needed. BigDL's {@code and} and {@code or} leave out parts that do not matter,
 * and a part that remembers, such as {@code everyEpoch}, would then fire later than in a run that begins here.
 */
final class AskedTrigger implements Trigger {
    private static final long serialVersionUID = 1L;

    private final Trigger trigger;
    private boolean answer;

    AskedTrigger(Trigger trigger) {
        this.trigger = trigger;
    }

    void ask(Table state) {
        answer = trigger.apply(state);
    }

    @Override
    public boolean apply(Table state) {
        return answer;
    }
}
