package org.sparkqlora.train;

import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;
import org.sparkqlora.model.MicroBatch;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.generation.PromptedText;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.model.loss.LossTotal.Measures;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tokenizer.packing.TokenRow;

/** A model at one version of its parameters. Pure and safe for use by several threads at once. */
public interface BoundModel extends AutoCloseable {
    /**
     * Adds the derivative of the micro-batch's loss sum to {@code gradient}.
     *
     * @param passSeed seed of dropout and of noise, one for each micro-batch of a run
     */
    LossTotal addGradient(List<TokenRow> microBatch, FlatVector gradient, long passSeed);

    /** Adds those of several micro-batches, in their order, and returns the loss of each. */
    default List<LossTotal> addGradients(List<MicroBatch> microBatches, FlatVector gradient) {
        return microBatches.stream()
                .map(each -> addGradient(each.rows(), gradient, each.passSeed()))
                .toList();
    }

    /**
     * As {@link #addGradients(List, FlatVector)} where gradients need sums over the step's whole batch.
     *
     * @param ofBatch those of {@link #batchSums}, added up over shards
     */
    default List<LossTotal> addGradients(List<MicroBatch> microBatches, Measures ofBatch, FlatVector gradient) {
        return addGradients(microBatches, gradient);
    }

    /** Whether gradients need sums over the step's whole batch. */
    default boolean needsBatchSums() {
        return false;
    }

    /** What micro-batches add to the sums over the step's batch. */
    default Measures batchSums(List<MicroBatch> microBatches) {
        return Measures.NONE;
    }

    /** The loss of each document, in row then document order; of pairs or answers that of each example. */
    List<LossTotal> losses(List<TokenRow> microBatch);

    /** Hands the losses of each of several micro-batches to {@code sink}, in their order. */
    default void losses(Iterator<List<TokenRow>> microBatches, Consumer<List<LossTotal>> sink) {
        microBatches.forEachRemaining(each -> sink.accept(losses(each)));
    }

    /** Continues {@code prompt}: the new tokens, without the one that ended the text. */
    int[] generate(int[] prompt, GenerationSpec spec);

    /** Hands the new tokens of each of several texts to {@code sink}, in their order. */
    default void generate(Iterator<PromptedText> texts, Consumer<int[]> sink) {
        texts.forEachRemaining(each -> sink.accept(generate(each.prompt(), each.spec())));
    }

    @Override
    void close();
}
