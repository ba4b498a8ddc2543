package org.sparkqlora.run.generate;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.run.generate.Answers.Answer;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.train.GradientSource;
import org.sparkqlora.train.SampleLog;
import org.sparkqlora.train.metrics.LogLines;

/** {@code samples.jsonl}: a line for each prompt and evaluation. It is small, and replaced as a whole. Driver only. */
public final class SampleFile implements SampleLog, AutoCloseable {
    private final Location file;
    private final ModelTokenizer tokenizer;
    private final List<PromptFile.Line> prompts;
    private final List<int[]> asked;
    private final GenerationSpec spec;
    private final List<String> lines = new ArrayList<>();

    private SampleFile(
            Location file,
            ModelTokenizer tokenizer,
            List<PromptFile.Line> prompts,
            List<int[]> asked,
            GenerationSpec spec) {
        this.file = file;
        this.tokenizer = tokenizer;
        this.prompts = prompts;
        this.asked = asked;
        this.spec = spec;
    }

    /** Throws unless the prompts in {@code prompts} can be asked. */
    public static void check(Path prompts, ModelTokenizer tokenizer) {
        PromptFile source = new PromptFile(prompts);
        source.encoded(source.read(), tokenizer);
    }

    /**
     * Answers to the prompts in {@code prompts}, in {@code file}; takes the tokenizer over.
     *
     * @param spec how tokens are chosen
     */
    public static SampleFile of(Location file, Path prompts, ModelTokenizer tokenizer, GenerationSpec spec) {
        PromptFile source = new PromptFile(prompts);
        List<PromptFile.Line> read = source.read();
        return new SampleFile(file, tokenizer, read, source.encoded(read, tokenizer), spec);
    }

    /** The log, or one that asks nothing. */
    public static SampleLog orNone(@Nullable SampleFile samples) {
        return samples == null ? SampleLog.none() : samples;
    }

    @Override
    public void rewindTo(long step) {
        lines.clear();
        lines.addAll(
                LogLines.upTo(step, file.text().orElse("").lines().toList()).kept());
    }

    @Override
    public void take(long step, GradientSource source) {
        List<int[]> made = source.generate(asked, spec);
        for (int i = 0; i < made.size(); i++) {
            lines.add(SamplesJson.write(step, prompts.get(i), Answer.of(made.get(i), tokenizer)));
        }

        file.replaceText(String.join("\n", lines) + "\n");
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
