package org.sparkqlora.model;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.layout.LinearPlace;
import org.sparkqlora.tensor.BaseMatrix;
import org.sparkqlora.tensor.Products;
import org.sparkqlora.tensor.TensorScope;
import org.sparkqlora.weights.family.Projection;
import org.sparkqlora.weights.family.ProjectionShape;

/**
 * Linear modules of one and the same input, weights and adapters in one matrix, so that a pass reads and writes each activation once:
 *
 * <pre>
 * M = [ W   B ]    W  (O, I): the weights, one below the other       B  (O, R): their B, a block for each, zeros elsewhere
 *     [ sA  . ]    sA (R, I): scale A of each, one below the other
 *
 * P  = x (sA)'          y  = [x P] [W B]'
 * dP = dy B             dx = [dy dP] [W sA]         dB = dy' P        dA = scale dP' x
 * </pre>
 *
 * x and dy lie where there is room for P and dP behind each row.
 *
 * @param modules each with its weight frozen, with an adapter or without, none with dropout or weight decomposition
 * @param matrix M, (O + R, I + R)
 * @param inputs I
 * @param outputs O
 * @param ranks R, a multiple of what products are fast at, zeros behind the ranks that there are
 * @param bias of all outputs; null when no module has one
 */
record FusedLoraLinears(
        List<Module> modules,
        Tensor matrix,
        long inputs,
        long outputs,
        long ranks,
        @Nullable Tensor bias) implements LinearGroup {
    /**
     * Ranks are padded to a multiple of this: the 16-bit numbers in a row of an AMX tile (Intel's Instruction Set Reference, TILECFG). A
     * product over half a
     * tile costs more than over a whole one.
     */
    static final int TILE = 32;

    /**
     * A module's part of the matrix.
     *
     * @param outputs how many it has
     * @param rank of its adapter; 0 without one
     */
    record Module(LinearPlace place, long outputs, long rank) {}

    /** A module as it comes. */
    record Source(
            Projection projection,
            ProjectionShape shape,
            BaseMatrix weight,
            @Nullable Tensor bias,
            LinearPlace place) {
        /** Its own part of the matrix. */
        private Extent extent() {
            return new Extent(shape, module().rank());
        }

        private record Extent(ProjectionShape shape, long rank) {}

        private Module module() {
            LinearPlace.Adapter adapter = place.adapter();
            return new Module(
                    place, shape.outputs(), adapter == null ? 0 : adapter.down().shape()[0]);
        }
    }

    /** Fills a matrix that {@code workspace} has room for. */
    static FusedLoraLinears of(List<Source> sources, BoundParameters parameters, Workspace workspace) {
        List<Module> modules = sources.stream().map(Source::module).toList();
        long inputs = sources.get(0).shape().inputs();
        long outputs = modules.stream().mapToLong(Module::outputs).sum();
        long ranks = ranks(modules.stream().mapToLong(Module::rank).sum());
        Tensor matrix = workspace.matrix(
                sources.get(0).projection(),
                outputs + ranks,
                inputs + ranks,
                sources.stream().map(Source::extent).toList());
        FusedLoraLinears joined = new FusedLoraLinears(modules, matrix, inputs, outputs, ranks, bias(sources, matrix));
        workspace.fill(() -> TensorScope.run(() -> joined.fill(sources, parameters, workspace)));
        return joined;
    }

    /** R for so many ranks. */
    static long ranks(long sum) {
        return (sum + TILE - 1) / TILE * TILE;
    }

    private void fill(List<Source> sources, BoundParameters parameters, Workspace workspace) {
        Tensor ups = ups();
        long output = 0;
        long rank = 0;
        for (Source source : sources) {
            Module module = source.module();
            Tensor weight = matrix.narrow(0, output, module.outputs()).narrow(1, 0, inputs);
            workspace.materialize(source.weight(), weight);
            LinearPlace.Adapter adapter = source.place().adapter();
            if (adapter != null) {
                downs().narrow(0, rank, module.rank())
                        .copy_(parameters.of(adapter.down()))
                        .mul_(new Scalar(adapter.scale()));
                ups.narrow(0, output, module.outputs())
                        .narrow(1, rank, module.rank())
                        .copy_(parameters.of(adapter.up()));
            }

            output += module.outputs();
            rank += module.rank();
        }
    }

    /** B. */
    private Tensor ups() {
        return matrix.narrow(0, 0, outputs).narrow(1, inputs, ranks);
    }

    /** sA. */
    private Tensor downs() {
        return matrix.narrow(0, outputs, ranks).narrow(1, 0, inputs);
    }

    private static @Nullable Tensor bias(List<Source> sources, Tensor like) {
        if (sources.stream().allMatch(source -> source.bias() == null)) {
            return null;
        }

        TensorVector biases = new TensorVector();
        for (Source source : sources) {
            biases.push_back(
                    source.bias() == null
                            ? torch.zeros(new long[] {source.shape().outputs()}, like.options())
                            : source.bias());
        }

        return torch.cat(biases, 0);
    }

    @Override
    public Tensor buffer(long tokens) {
        return emptyPadded(tokens, inputs);
    }

    @Override
    public List<Tensor> gradientBuffers(long tokens) {
        return outputsOf(emptyPadded(tokens, outputs));
    }

    @Override
    public Recorded apply(Tensor input) {
        Tensor whole = withLow(input);
        Tensor weights = matrix.narrow(0, 0, outputs);
        Tensor output = Products.linear(whole, weights, bias);
        return new Recorded(outputsOf(output), tape(whole));
    }

    @Override
    public List<LinearPass.Tape> tapes(Tensor input) {
        return tape(withLow(input));
    }

    @Override
    public Tensor backward(List<Tensor> outputGradients, List<LinearPass.Tape> tapes, GradientAccumulator gradients) {
        Tensor whole = padded(outputGradients.get(0));
        Tensor dOutput = whole.narrow(1, 0, outputs);
        Tensor dLow = whole.narrow(1, outputs, ranks);
        Products.mmInto(dLow, dOutput, ups());
        Tensor taped = tapes.get(0).input();
        addGradients(dOutput, taped.narrow(1, inputs, ranks), dLow, taped.narrow(1, 0, inputs), gradients);
        return Products.mm(whole, matrix.narrow(1, 0, inputs));
    }

    @Override
    public Tensor backwardOf(Tensor outputGradient, List<LinearPass.Tape> tapes, GradientAccumulator gradients) {
        Tensor copy = emptyPadded(outputGradient.size(0), outputs).copy_(outputGradient);
        return backward(List.of(copy), tapes, gradients);
    }

    private static List<LinearPass.Tape> tape(Tensor whole) {
        return List.of(new LinearPass.Tape(whole, null));
    }

    private void addGradients(Tensor dOutput, Tensor low, Tensor dLow, Tensor input, GradientAccumulator gradients) {
        Tensor dDowns = Products.mm(dLow.t(), input);
        long output = 0;
        long rank = 0;
        for (Module module : modules) {
            Tensor own = dOutput.narrow(1, output, module.outputs());
            if (module.place().bias() != null) {
                gradients.add(module.place().bias(), own.to(ScalarType.Float).sum(0));
            }

            LinearPlace.Adapter adapter = module.place().adapter();
            if (adapter != null) {
                gradients.add(adapter.up(), Products.mm(own.t(), low.narrow(1, rank, module.rank())));
                Tensor dDown = dDowns.narrow(0, rank, module.rank());
                gradients.add(adapter.down(), dDown.mul_(new Scalar(adapter.scale())));
            }

            output += module.outputs();
            rank += module.rank();
        }
    }

    private List<Tensor> outputsOf(Tensor whole) {
        List<Tensor> parts = new ArrayList<>();
        long from = 0;
        for (Module module : modules) {
            parts.add(whole.narrow(1, from, module.outputs()));
            from += module.outputs();
        }

        return parts;
    }

    /** {@code [x P]}; x is copied unless it lies where there is room. */
    private Tensor withLow(Tensor input) {
        Tensor placed = input.stride(0) == inputs + ranks
                ? input
                : buffer(input.size(0)).copy_(input);
        Tensor whole = padded(placed);
        Products.mmInto(whole.narrow(1, inputs, ranks), placed, downs().t());
        return whole;
    }

    /**
     * {@code width} columns with room for the ranks behind them. Where they end within a tile, oneDNN reads on into the room, and what it
     * reads, though multiplied by zero, must be finite.
     */
    private Tensor emptyPadded(long tokens, long width) {
        Tensor whole = torch.empty(new long[] {tokens, width + ranks}, matrix.options(), null);
        if (width % TILE != 0) {
            whole.narrow(1, width, ranks).zero_();
        }

        return whole.narrow(1, 0, width);
    }

    /** The columns that begin with {@code first}, and the room behind them. */
    private static Tensor padded(Tensor first) {
        return first.as_strided(new long[] {first.size(0), first.stride(0)}, first.stride(0), 1);
    }
}
