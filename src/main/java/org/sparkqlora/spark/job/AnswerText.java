package org.sparkqlora.spark.job;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.api.java.UDF2;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.ExampleJson;
import org.sparkqlora.data.Prompt;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.generation.PromptedText;
import org.sparkqlora.model.generation.TokenLosses;
import org.sparkqlora.spark.prepare.RecordEncoders;
import org.sparkqlora.spark.replica.FixedModel;
import org.sparkqlora.tokenizer.PromptEncoder;

/**
 * The answer of a model to a prompt. With sampling, the random numbers depend on the prompt's text alone, not on its place. Runs in a
 * task.
 */
public record AnswerText(FixedModel model, RecordEncoders tokens, GenerationSpec spec, Asked asked)
        implements Serializable {
    /** The meaning of a text in a column. */
    public enum Asked {
        /** A user's turn where the model has a chat template, else a text to continue. */
        QUESTION,
        /** A text to continue, without a chat template. */
        BEGINNING,
        /** A JSON object of messages, as in a file of prompts. */
        RECORD;

        Prompt prompt(String text) {
            return switch (this) {
                case QUESTION -> new Prompt.Question(text);
                case BEGINNING -> new Prompt.Beginning(text);
                case RECORD -> ExampleJson.readPrompt(text);
            };
        }
    }

    /** A function of a text and the name of the adapter that answers it. */
    public static UDF2<@Nullable String, @Nullable String, @Nullable String> function(ByAdapter<AnswerText> answers) {
        return (text, adapter) -> text == null ? null : answers.require(adapter).answer(text);
    }

    /** The answer up to the end of the turn. */
    private String answer(String text) {
        int[] prompt = prompt(text);
        return text(model.use(bound -> bound.generate(prompt, specOf(prompt))));
    }

    /** The token ids of what {@code text} asks. */
    int[] prompt(String text) {
        return tokens.withTokenizer(tokenizer ->
                new PromptEncoder(tokenizer, tokens.day(), tokens.templateLimits()).encode(asked.prompt(text)));
    }

    /**
     * An answer.
     *
     * @param losses of its tokens and of the one that ended it
     */
    record Made(String text, TokenLosses losses) {
        /** As {@link RecordLoss} has it. */
        Row loss() {
            return RowFactory.create(losses.sum(), losses.tokens());
        }
    }

    /** The answers to prompts, in their order, which grow together. */
    List<Made> all(List<int[]> prompts, Losses losses) {
        List<TokenLosses> told = prompts.stream().map(any -> new TokenLosses()).toList();
        List<int[]> made = new ArrayList<>();
        model.use(bound -> {
            bound.generate(
                    IntStream.range(0, prompts.size())
                            .mapToObj(i -> new PromptedText(
                                    prompts.get(i), specOf(prompts.get(i)), losses == Losses.TOLD ? told.get(i) : null))
                            .iterator(),
                    made::add);
            return made;
        });
        return IntStream.range(0, made.size())
                .mapToObj(i -> new Made(text(made.get(i)), told.get(i)))
                .toList();
    }

    /** Whether answers come with the losses of their tokens. */
    public enum Losses {
        TOLD,
        NONE
    }

    private String text(int[] made) {
        return tokens.withTokenizer(tokenizer -> tokenizer.decode(made).strip());
    }

    private GenerationSpec specOf(int[] prompt) {
        return spec.ofText(Arrays.hashCode(prompt));
    }
}
