package org.sparkqlora.spark;

import org.apache.spark.api.java.function.Function;
import org.sparkqlora.model.GenerationSpec;
import org.sparkqlora.train.History;

/** Continues one prompt. Runs in a task. */
final class GenerateFunction implements Function<NumberedTokens, NumberedTokens> {
    private static final long serialVersionUID = 1L;

    private final RunDescription run;
    private final GenerationSpec spec;
    private final long version;
    private final History history;

    GenerateFunction(RunDescription run, GenerationSpec spec, long version, History history) {
        this.run = run;
        this.spec = spec;
        this.version = version;
        this.history = history;
    }

    @Override
    public NumberedTokens call(NumberedTokens prompt) {
        int[] made = ExecutorReplicas.of(run)
                .replica()
                .at(version, history, model -> model.generate(prompt.ids(), spec.ofText(prompt.number())));
        return new NumberedTokens(prompt.number(), made);
    }
}
