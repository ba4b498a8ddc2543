package org.sparkqlora.spark.job;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.sparkqlora.model.GenerationSpec;
import org.sparkqlora.model.PromptedText;
import org.sparkqlora.spark.replica.ProcessReplicas;
import org.sparkqlora.spark.replica.RunHandle;
import org.sparkqlora.train.StateLog;

/** Continues prompts. Runs in a task. */
final class GenerateFunction implements FlatMapFunction<Iterator<NumberedTokens>, NumberedTokens> {
    private static final long serialVersionUID = 2L;

    private final RunHandle run;
    private final GenerationSpec spec;
    private final long version;
    private final StateLog history;

    GenerateFunction(RunHandle run, GenerationSpec spec, long version, StateLog history) {
        this.run = run;
        this.spec = spec;
        this.version = version;
        this.history = history;
    }

    @Override
    public Iterator<NumberedTokens> call(Iterator<NumberedTokens> prompts) {
        List<NumberedTokens> asked = new ArrayList<>();
        prompts.forEachRemaining(asked::add);
        List<NumberedTokens> answers = new ArrayList<>();
        ProcessReplicas.of(run).replica().at(version, history, model -> {
            model.generate(
                    asked.stream().map(this::text).iterator(),
                    made -> answers.add(
                            new NumberedTokens(asked.get(answers.size()).number(), made)));
            return answers;
        });
        return answers.iterator();
    }

    private PromptedText text(NumberedTokens prompt) {
        return new PromptedText(prompt.ids(), spec.ofText(prompt.number()));
    }
}
