package org.sparkqlora.spark.job;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.sparkqlora.model.DecoderModel;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.generation.PromptedText;
import org.sparkqlora.model.generation.TokenLosses;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.spark.cluster.ModelTasks;
import org.sparkqlora.spark.cluster.TaskSlots;
import org.sparkqlora.spark.replica.InferenceReplicas;
import org.sparkqlora.spark.replica.ProcessReplicas;
import org.sparkqlora.spark.replica.ReplicaGroup;
import org.sparkqlora.spark.replica.RunHandle;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.BoundAdapters;
import org.sparkqlora.train.BoundModel;
import org.sparkqlora.train.ModelSource;
import org.sparkqlora.train.StateLog;

/** Text generation by a trained model as a Spark job; each process loads the base once. Driver only. */
public record SparkGenerator(JavaSparkContext context, ModelSource model) {
    /** Texts of a task, if there are so many: where few are left, few grow together. */
    private static final int TEXTS_A_TASK = 8 * DecoderModel.TEXTS_AT_ONCE;

    /** Texts that a slot should have, so that it is rarely short of them. */
    private static final int TEXTS_A_SLOT = 4 * DecoderModel.TEXTS_AT_ONCE;

    /** Tasks that so many texts are divided among. */
    public static int tasks(JavaSparkContext context, int texts) {
        return TaskSlots.parts(texts, TaskSlots.available(context), TEXTS_A_TASK);
    }

    /** The fewest texts that keep all slots busy most of the time. */
    public static int textsOfAllSlots(JavaSparkContext context) {
        return Math.multiplyExact(TEXTS_A_SLOT, TaskSlots.available(context));
    }

    /**
     * Prompts that are continued in parts.
     *
     * @param asked in their order
     * @param first that is not continued yet
     * @param part prompts that are continued together
     * @param losses whether those of the new tokens are told
     */
    public record Prompts(List<Asked> asked, int first, int part, AnswerText.Losses losses) {
        public Prompts {
            asked = List.copyOf(asked);
        }
    }

    /**
     * A prompt.
     *
     * @param adapter that it names; empty for none
     * @param ids its tokens
     */
    public record Asked(String adapter, int[] ids) implements Serializable {}

    /**
     * Continues prompts; the same whatever the cluster and its parts.
     *
     * @param specs by the names of adapters
     * @param each takes what continues the prompts of a part, in their order
     */
    public void generate(
            FlatVector parameters,
            ParameterIndex index,
            Prompts prompts,
            ByAdapter<GenerationSpec> specs,
            Consumer<List<NumberedTokens>> each) {
        new InferenceReplicas(context, model).at(parameters, index, (run, replicas) -> {
            int all = prompts.asked().size();
            for (int from = prompts.first(); from < all; from += prompts.part()) {
                int to = Math.min(all, from + prompts.part());
                each.accept(
                        generate(context, run, replicas, numbered(prompts.asked(), from, to), specs, prompts.losses()));
            }

            return all;
        });
    }

    /** The new tokens of each prompt at the version of {@code replicas}. */
    static List<int[]> generateAll(
            JavaSparkContext context, RunHandle run, ReplicaGroup replicas, List<int[]> prompts, GenerationSpec spec) {
        List<Asked> asked = prompts.stream().map(ids -> new Asked("", ids)).toList();
        ByAdapter<GenerationSpec> specs = new ByAdapter<>(new TreeMap<>(Map.of("", spec)));
        return generate(context, run, replicas, numbered(asked, 0, asked.size()), specs, AnswerText.Losses.NONE)
                .stream()
                .map(NumberedTokens::ids)
                .toList();
    }

    private static List<NumberedPrompt> numbered(List<Asked> prompts, int from, int to) {
        return IntStream.range(from, to)
                .mapToObj(number -> new NumberedPrompt(number, prompts.get(number)))
                .toList();
    }

    private static List<NumberedTokens> generate(
            JavaSparkContext context,
            RunHandle run,
            ReplicaGroup replicas,
            List<NumberedPrompt> numbered,
            ByAdapter<GenerationSpec> specs,
            AnswerText.Losses losses) {
        context.setJobDescription(String.format(Locale.ROOT, "generate: %d prompts", numbered.size()));
        GenerateFunction function =
                new GenerateFunction(run, specs, losses, replicas.position().version(), replicas.stateLog());
        JavaRDD<NumberedPrompt> placed =
                ModelTasks.of(context.getConf()).place(context.parallelize(numbered, tasks(context, numbered.size())));
        return placed.mapPartitions(function).collect();
    }

    /** Continues prompts, those of one adapter after those of another. Runs in a task. */
    private record GenerateFunction(
            RunHandle run, ByAdapter<GenerationSpec> specs, AnswerText.Losses losses, long version, StateLog log)
            implements FlatMapFunction<Iterator<NumberedPrompt>, NumberedTokens> {
        @Override
        public Iterator<NumberedTokens> call(Iterator<NumberedPrompt> prompts) {
            Map<String, List<NumberedPrompt>> byAdapter = new TreeMap<>();
            prompts.forEachRemaining(prompt -> byAdapter
                    .computeIfAbsent(prompt.asked().adapter(), name -> new ArrayList<>())
                    .add(prompt));
            return ProcessReplicas.of(run)
                    .replica()
                    .at(
                            version,
                            log,
                            model -> byAdapter.entrySet().stream()
                                    .flatMap(asked -> answers(model, asked.getKey(), asked.getValue()).stream())
                                    .sorted(Comparator.comparingLong(NumberedTokens::number))
                                    .toList())
                    .iterator();
        }

        private List<NumberedTokens> answers(BoundModel model, String adapter, List<NumberedPrompt> asked) {
            BoundModel adapted = model instanceof BoundAdapters adapters ? adapters.with(adapter) : model;
            GenerationSpec spec = specs.require(adapter);
            List<TokenLosses> told =
                    asked.stream().map(any -> new TokenLosses()).toList();
            List<NumberedTokens> answers = new ArrayList<>();
            adapted.generate(
                    IntStream.range(0, asked.size())
                            .mapToObj(i -> text(asked.get(i), spec, told.get(i)))
                            .iterator(),
                    made -> {
                        int place = answers.size();
                        TokenLosses losses = told.get(place);
                        answers.add(new NumberedTokens(asked.get(place).number(), made, losses.sum(), losses.tokens()));
                    });
            return answers;
        }

        private PromptedText text(NumberedPrompt prompt, GenerationSpec spec, TokenLosses told) {
            return new PromptedText(
                    prompt.asked().ids(), spec.ofText(prompt.number()), losses == AnswerText.Losses.TOLD ? told : null);
        }
    }

    /**
     * A prompt of many.
     *
     * @param number place among them, from 0
     */
    public record NumberedPrompt(long number, Asked asked) implements Serializable {}

    /**
     * The continuation of one prompt of many.
     *
     * @param number place among the prompts, from 0
     * @param ids new tokens, without the one that ended the text
     * @param lossSum of these and of the one that ended it; 0 where losses are not told
     * @param lossTokens how many they are
     */
    public record NumberedTokens(long number, int[] ids, double lossSum, long lossTokens) implements Serializable {}
}
