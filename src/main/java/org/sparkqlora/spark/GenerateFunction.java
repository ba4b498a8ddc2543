package org.sparkqlora.spark;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.sparkqlora.model.GenerationSpec;
import org.sparkqlora.model.PromptedText;
import org.sparkqlora.train.History;

/** Continues prompts. Runs in a task. */
final class GenerateFunction implements FlatMapFunction<Iterator<NumberedTokens>, NumberedTokens> {
    private static final long serialVersionUID = 2L;

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
    public Iterator<NumberedTokens> call(Iterator<NumberedTokens> prompts) {
        List<NumberedTokens> asked = new ArrayList<>();
        prompts.forEachRemaining(asked::add);
        List<NumberedTokens> answers = new ArrayList<>();
        ExecutorReplicas.of(run).replica().at(version, history, model -> {
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
