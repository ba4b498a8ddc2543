package org.sparkqlora.model;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntConsumer;
import java.util.function.LongFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.DecoderLayer.SmallWeight;
import org.sparkqlora.model.adapter.Dropout;
import org.sparkqlora.model.adapter.InitialParameters;
import org.sparkqlora.model.adapter.PissaOloraFactors;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.generation.PromptedText;
import org.sparkqlora.model.layout.FactorInitialization;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelLayout;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.model.loss.AnswerLoss;
import org.sparkqlora.model.loss.AnswerLoss.Answers;
import org.sparkqlora.model.loss.AnswerLoss.Predicted;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.model.loss.ScoreLoss;
import org.sparkqlora.model.loss.ScoreLoss.Scores;
import org.sparkqlora.tensor.ComputeThread;
import org.sparkqlora.tensor.ComputeThreads;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.Natives;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * A decoder of the Llama family: loss and gradient of micro-batches as functions of the trained parameters.
 *
 * <p>Loaded once a JVM and shared by all tasks: the frozen part never changes, and each call works in a workspace of its own. Uses the
 * weight folder's mapped memory until closed.
 */
public final class DecoderModel implements AutoCloseable {
    /** Texts that grow together at most, so that the weights of a layer, once in full width, serve a token of each. */
    public static final int TEXTS_AT_ONCE = 128;

    private final ModelSpec spec;
    private final Recompute recompute;
    private final Path scratch;
    private final ModelLayout layout;
    private final FrozenWeights frozen;
    private final List<DecoderLayer> layers;
    private final PassRunner runner;
    private final ComputeThread binding;
    private final GradientPasses gradients;
    private final InitialParameters initial;
    private final Runnable closing;

    private DecoderModel(
            WeightFolder weights,
            ModelSpec spec,
            int threads,
            PassOptions passes,
            Path scratch,
            Hardware.Source source) {
        this.spec = spec;
        this.recompute = passes.recompute();
        this.scratch = scratch;
        this.layout = new ModelLayout(weights.config(), spec);
        ComputeThreads computeThreads = ComputeThreads.of(threads, source);
        PassPool pool =
                new PassPool(computeThreads, passes.atOnce(), spec.precision().type());
        Hardware hardware = computeThreads.hardware();
        if (spec.precision() == Precision.FP16 && hardware.isHostAccessible()) {
            throw new BadInputException("Cannot compute in fp16 row by row: expected a device of operations");
        }

        this.binding = hardware.computeThread();
        ResidentBase resident = ResidentBase.of(
                passes.base(), config(), spec, pool.lanes(Integer.MAX_VALUE).count());
        boolean dequantized = passes.base().dequantized() && hardware.isHostAccessible();
        this.runner = new PassRunner(pool, resident, dequantized ? new DequantizedLayers(pool::weightBuffers) : null);
        this.gradients = new GradientPasses(this, spec, runner);
        this.frozen = new FrozenWeights(weights, layout, spec, computeThreads, resident);
        this.layers = IntStream.range(0, config().layers())
                .mapToObj(layer -> frozen.layer(layer, layout))
                .toList();
        this.initial = new InitialParameters(weights, layout, frozen::floatMatrix, spec.lora());
        this.closing = () -> {
            binding.close();
            runner.close();
            resident.close();
            frozen.close();
        };
    }

    private DecoderModel(DecoderModel base, LoraSpec lora) {
        this.spec = base.spec.adapted(lora);
        this.recompute = base.recompute;
        this.scratch = base.scratch;
        this.layout = base.frozen.layout(spec);
        this.frozen = base.frozen;
        this.layers = base.layers.stream().map(layer -> layer.adapted(layout)).toList();
        this.runner = base.runner.ofOtherAdapters();
        this.binding = base.binding;
        this.gradients = new GradientPasses(this, spec, runner);
        this.initial = base.initial.with(layout, lora);
        this.closing = () -> {};
    }

    /**
     * This base, which has no adapters, with some. Frozen weights and threads stay those of this model, which is closed after the other;
     * closing that frees nothing.
     */
    public DecoderModel adapted(LoraSpec lora) {
        return new DecoderModel(this, lora);
    }

    /**
     * Loads a model onto a device.
     *
     * @param weights the base; for {@link Method#QLORA} one that holds its projections in 4 bits
     * @param threads of a call
     * @param scratch folder of what passes offload
     * @param source tells where its tensors lie
     */
    public static DecoderModel load(
            WeightFolder weights,
            ModelSpec spec,
            int threads,
            PassOptions passes,
            Path scratch,
            Hardware.Source source) {
        if (spec.method() == Method.QLORA && !weights.quantized()) {
            throw new BadInputException(
                    "Cannot load %s for qlora: expected projections in 4 bits".formatted(weights.path()));
        }

        Natives.useThreads(threads);
        return new DecoderModel(weights, spec, threads, passes, scratch, source);
    }

    public ParameterIndex parameters() {
        return layout.index();
    }

    public ModelConfig config() {
        return layout.config();
    }

    /**
     * The initial parameters: for adapters A and B as {@link FactorInitialization} says and DoRA's magnitudes the row lengths of the
     * base with them; for full fine-tuning the stored weights.
     */
    public FlatVector initialParameters(long seed) {
        return initialParameters(seed, FlatVector::zeros, null);
    }

    /**
     * The initial parameters in a vector that {@code zeros} makes, where adapters may begin as a part of the base.
     *
     * @param taken that part; exactly when the adapters' initialisation takes from the base
     */
    public FlatVector initialParameters(long seed, LongFunction<FlatVector> zeros, @Nullable PissaOloraFactors taken) {
        return initial.values(seed, zeros, taken);
    }

    /** Makes one version of the parameters usable by the model. */
    public BoundParameters bind(FlatVector parameters) {
        return binding.call(() -> {
            Natives.useThreads(runner.pool().whole().threads());
            return new BoundParameters(
                    parameters(), parameters, spec.precision().type(), hardware());
        });
    }

    /**
     * Adds the gradient of the summed loss of {@code microBatch} to {@code gradient}, and returns that loss. Equal seeds
     * drop the same elements and add the same noise, on any machine; no two micro-batches of a run may share one. The gradient is scaled on
     * its way through the model, where overflows are infinite or NaN.
     *
     * @param lossScale a power of two, on the gradient of the mean loss; none where nothing is multiplied
     */
    public LossTotal addGradient(
            BoundParameters parameters,
            List<TokenRow> microBatch,
            FlatVector gradient,
            long passSeed,
            OptionalDouble lossScale) {
        return gradients.add(parameters, new MicroBatch(microBatch, passSeed), gradient, lossScale);
    }

    /**
     * Adds the gradients of micro-batches, and returns the loss of each. As many pass at once as there are threads, each into a vector
     * of its own; those are added in the order of the micro-batches. The sum is that of one pass after the other with as many threads
     * as each has here, bit for bit: to no parameter does a pass add twice.
     *
     * @param lossScale as above
     */
    public List<LossTotal> addGradients(
            BoundParameters parameters, List<MicroBatch> microBatches, FlatVector gradient, OptionalDouble lossScale) {
        return gradients.add(parameters, microBatches, gradient, lossScale, GradientPasses.OF_TOKENS);
    }

    /**
     * As {@link #addGradients(BoundParameters, List, FlatVector, OptionalDouble)} with the gradients of {@code loss}.
     *
     * @param reference at which the reference's log-probabilities are computed; null where the loss has no use for them
     */
    public List<LossTotal> addGradients(
            BoundParameters parameters,
            List<MicroBatch> microBatches,
            FlatVector gradient,
            OptionalDouble lossScale,
            AnswerLoss loss,
            @Nullable BoundParameters reference) {
        return gradients.add(
                parameters, microBatches, gradient, lossScale, new GradientPasses.OfAnswers(loss, reference));
    }

    /** As {@link #addGradients(BoundParameters, List, FlatVector, OptionalDouble)} with the gradients of a loss of scores. */
    public List<LossTotal> addGradients(
            BoundParameters parameters,
            List<MicroBatch> microBatches,
            FlatVector gradient,
            OptionalDouble lossScale,
            ScoreLoss loss) {
        return gradients.add(parameters, microBatches, gradient, lossScale, new GradientPasses.OfScores(loss));
    }

    /** Hands the scores of the documents of each micro-batch to {@code sink}, in their order; as many pass at once as there are threads. */
    public void scores(BoundParameters parameters, Iterator<List<TokenRow>> microBatches, Consumer<Scores> sink) {
        inPasses(parameters, microBatches, (pass, each) -> pass.scores(new DocumentBatch(each)), sink);
    }

    /** The loss of each document, in row and then document order. */
    public List<LossTotal> losses(BoundParameters parameters, List<TokenRow> microBatch) {
        return inPass(parameters, pass -> pass.losses(new DocumentBatch(microBatch)));
    }

    /** Hands the losses of each micro-batch to {@code sink}, in their order; as many pass at once as there are threads. */
    public void losses(
            BoundParameters parameters, Iterator<List<TokenRow>> microBatches, Consumer<List<LossTotal>> sink) {
        inPasses(parameters, microBatches, (pass, each) -> pass.losses(new DocumentBatch(each)), sink);
    }

    /** The predicted tokens of {@code microBatch} with their losses at {@code parameters} and, unless it is null, {@code reference}. */
    public Answers answers(
            BoundParameters parameters,
            @Nullable BoundParameters reference,
            List<TokenRow> microBatch,
            Predicted predicted) {
        List<Answers> only = new ArrayList<>(1);
        inPasses(
                parameters,
                List.of(microBatch).iterator(),
                (pass, each) -> pass.answers(
                        new DocumentBatch(each, predicted),
                        reference == null ? null : pass.losses(each, predicted, reference)),
                only::add);
        return only.get(0);
    }

    /**
     * Continues {@code prompt} token by token, keeping the keys and values of what has passed.
     *
     * @param prompt at least one id
     * @param sink sees each new token as soon as it is chosen
     * @return the new tokens, without the one that ended the text
     */
    public int[] generate(BoundParameters parameters, int[] prompt, GenerationSpec spec, IntConsumer sink) {
        return generate(parameters, new PromptedText(prompt, spec), sink);
    }

    /** As {@link #generate(BoundParameters, int[], GenerationSpec, IntConsumer)}, with the losses of the new tokens where they are asked for. */
    public int[] generate(BoundParameters parameters, PromptedText text, IntConsumer sink) {
        return inPass(parameters, pass -> {
            try (Decoding decoding = new Decoding(pass, text)) {
                return decoding.generate(sink);
            }
        });
    }

    /**
     * Hands the new tokens of each text to {@code sink}, in their order. Many texts grow at once, and none depends on its neighbours. Both
     * are called in another thread.
     */
    public void generate(BoundParameters parameters, Iterator<PromptedText> texts, Consumer<int[]> sink) {
        inPass(parameters, pass -> {
            new ContinuousBatch(pass, spec.precision(), ContinuousBatch.Limits.DEFAULT, sink).run(texts);
            return null;
        });
    }

    /** Logits (tokens, vocabulary) of the documents of {@code microBatch}, padding left out; row-major. */
    float[] logits(BoundParameters parameters, List<TokenRow> microBatch) {
        return inPass(parameters, pass -> pass.logits(new DocumentBatch(microBatch)));
    }

    /** Bytes of the base that this process has given back so far, to read them again when they are used again. */
    long pagedBytes() {
        return runner.resident().bytesGivenBack();
    }

    /** Frees the model's tensors. No call may be running. */
    @Override
    public void close() {
        closing.run();
    }

    /** A pass that nothing is dropped from and no noise added to. */
    <R> R inPass(BoundParameters parameters, Function<ModelPass, R> body) {
        return runner.one(entry -> startPass(parameters, null, null, entry, body));
    }

    private <T, R> void inPasses(
            BoundParameters parameters, Iterator<T> inputs, BiFunction<ModelPass, T, R> body, Consumer<R> sink) {
        runner.all(
                runner.pool().lanes(Integer.MAX_VALUE),
                inputs,
                (each, entry) -> startPass(parameters, null, null, entry, pass -> body.apply(pass, each)),
                sink);
    }

    <R> CompletableFuture<R> startPass(
            BoundParameters parameters,
            @Nullable Dropout dropout,
            @Nullable EmbeddingNoise embeddingNoise,
            PassRunner.Entry entry,
            Function<ModelPass, R> body) {
        return runner.start(
                entry,
                workspace -> body.apply(
                        new ModelPass(this, parameters, workspace, dropout, embeddingNoise, entry.stopped())));
    }

    /** Whether attention can take a prompt that passes once for two documents: on a device and in the gated delta rule it cannot. */
    public boolean canSharePrompts() {
        return hardware().isHostAccessible() && config().traits().deltaNet().isEmpty();
    }

    Hardware hardware() {
        return runner.pool().whole().hardware();
    }

    List<DecoderLayer> layers() {
        return layers;
    }

    /** Has the weights of {@code layer} read, which are used next; nothing where there is no such layer. */
    void ask(int layer) {
        runner.resident().ask(layer);
    }

    /** Room for what one pass keeps. */
    LayerStates layerStates() {
        return new LayerStates(recompute, scratch);
    }

    /** @param caches of each document before the batch, which the batch goes into; none where every document is whole */
    PassContext context(DocumentBatch batch, List<KeyValueCache> caches, Hardware with) {
        return new PassContext(config(), batch, spec, with, caches);
    }

    TokenEmbedding embedding() {
        return new TokenEmbedding(
                frozen, layout.embedding(), spec.precision(), config().traits().embeddingMultiplier());
    }

    OutputHead head(BoundParameters parameters, Hardware with) {
        return new OutputHead(
                new SmallWeight(frozen.head(), layout.head()).of(parameters),
                layout.head(),
                config().traits().logitMultiplier(),
                config().traits().logitCap(),
                with,
                layout.head() == null ? frozen::usedOfHead : part -> {});
    }

    ScoreHead scoreHead(BoundParameters parameters, Hardware with) {
        return ScoreHead.of(layout.score(), parameters, with);
    }

    Normalization finalNorm(BoundParameters parameters, Hardware with) {
        return new SmallWeight(frozen.finalNorm(), layout.finalNorm()).norm(parameters, config(), with);
    }
}
