package org.sparkqlora.spark.job;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.sparkqlora.model.DecoderModel;
import org.sparkqlora.model.ParameterIndex;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.generation.PromptedText;
import org.sparkqlora.spark.cluster.ModelTasks;
import org.sparkqlora.spark.cluster.TaskSlots;
import org.sparkqlora.spark.replica.InferenceReplicas;
import org.sparkqlora.spark.replica.ProcessReplicas;
import org.sparkqlora.spark.replica.ReplicaGroup;
import org.sparkqlora.spark.replica.RunHandle;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.ModelSource;
import org.sparkqlora.train.StateLog;

/** Text generation by a trained model as a Spark job; each process loads the base once. Driver only. */
public final class SparkGenerator {
    /** Texts of a task, if there are so many: where few are left, few grow together. */
    private static final int TEXTS_A_TASK = 4 * DecoderModel.TEXTS_AT_ONCE;

    private final JavaSparkContext context;
    private final ModelSource model;

    public SparkGenerator(JavaSparkContext context, ModelSource model) {
        this.context = context;
        this.model = model;
    }

    /** Tasks that so many texts are divided among. */
    public static int tasks(JavaSparkContext context, int texts) {
        return TaskSlots.parts(texts, TaskSlots.available(context), TEXTS_A_TASK);
    }

    /**
     * Prompts that are continued in parts.
     *
     * @param ids tokens of each
     * @param first that is not continued yet
     * @param part prompts that are continued together
     */
    public record Prompts(List<int[]> ids, int first, int part) {
        public Prompts {
            ids = List.copyOf(ids);
        }
    }

    /**
     * Continues prompts; the same whatever the cluster and its parts.
     *
     * @param each takes the new tokens of the prompts of a part, in their order
     */
    public void generate(
            FlatVector parameters,
            ParameterIndex index,
            Prompts prompts,
            GenerationSpec spec,
            Consumer<List<int[]>> each) {
        new InferenceReplicas(context, model).at(parameters, index, "", (run, replicas) -> {
            int all = prompts.ids().size();
            for (int from = prompts.first(); from < all; from += prompts.part()) {
                int to = Math.min(all, from + prompts.part());
                each.accept(generate(context, run, replicas, numbered(prompts.ids(), from, to), spec));
            }

            return all;
        });
    }

    /** The new tokens of each prompt at the version of {@code replicas}. */
    static List<int[]> generateAll(
            JavaSparkContext context, RunHandle run, ReplicaGroup replicas, List<int[]> prompts, GenerationSpec spec) {
        return generate(context, run, replicas, numbered(prompts, 0, prompts.size()), spec);
    }

    private static List<NumberedTokens> numbered(List<int[]> prompts, int from, int to) {
        return IntStream.range(from, to)
                .mapToObj(number -> new NumberedTokens(number, prompts.get(number)))
                .toList();
    }

    private static List<int[]> generate(
            JavaSparkContext context,
            RunHandle run,
            ReplicaGroup replicas,
            List<NumberedTokens> numbered,
            GenerationSpec spec) {
        context.setJobDescription(String.format(Locale.ROOT, "generate: %d prompts", numbered.size()));
        GenerateFunction function =
                new GenerateFunction(run, spec, replicas.position().version(), replicas.stateLog());
        JavaRDD<NumberedTokens> placed =
                ModelTasks.of(context.getConf()).place(context.parallelize(numbered, tasks(context, numbered.size())));
        return placed.mapPartitions(function).collect().stream()
                .map(NumberedTokens::ids)
                .toList();
    }

    /** Continues prompts. Runs in a task. */
    private static final class GenerateFunction implements FlatMapFunction<Iterator<NumberedTokens>, NumberedTokens> {
        private static final long serialVersionUID = 2L;

        private final RunHandle run;
        private final GenerationSpec spec;
        private final long version;
        private final StateLog log;

        GenerateFunction(RunHandle run, GenerationSpec spec, long version, StateLog log) {
            this.run = run;
            this.spec = spec;
            this.version = version;
            this.log = log;
        }

        @Override
        public Iterator<NumberedTokens> call(Iterator<NumberedTokens> prompts) {
            List<NumberedTokens> asked = new ArrayList<>();
            prompts.forEachRemaining(asked::add);
            List<NumberedTokens> answers = new ArrayList<>();
            ProcessReplicas.of(run).replica().at(version, log, model -> {
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

    /**
     * Token ids of one text of many.
     *
     * @param number place among the texts, from 0
     */
    public record NumberedTokens(long number, int[] ids) implements Serializable {}
}
