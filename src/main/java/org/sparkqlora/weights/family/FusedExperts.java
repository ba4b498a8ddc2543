package org.sparkqlora.weights.family;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;
import org.sparkqlora.weights.safetensors.StoredLayout;
import org.sparkqlora.weights.safetensors.StoredTensor;
import org.sparkqlora.weights.safetensors.StoredTensors;
import org.sparkqlora.weights.safetensors.StoredType;
import org.sparkqlora.weights.safetensors.TensorSpec;

/**
 * The matrices of experts in checkpoints that hold those of a layer as one tensor:
 *
 * <ul>
 *   <li>of modules, as transformers 5 has them in memory: {@code gate_up_proj}, (experts, 2 width, hidden), gate above up, and
 *       {@code down_proj}, (experts, hidden, width);
 *   <li>interleaved: {@code gate_up_proj}, (experts, hidden, 2 width), of which columns of gate and up alternate, and {@code down_proj},
 *       (experts, width, hidden);
 *   <li>interleaved in MXFP4: {@code gate_up_proj_blocks}, (experts, 2 width, hidden / 32, 16), of which rows of gate and up alternate,
 *       {@code down_proj_blocks}, (experts, hidden, width / 32, 16), and {@code _scales} of the same shapes without the last. They are read in
 *       the type of their biases.
 * </ul>
 */
public final class FusedExperts {
    private static final String BLOCKS = "_blocks";
    private static final String SCALES = "_scales";
    private static final String BIAS = "_bias";
    private static final Pattern FUSED = Pattern.compile(
            "model\\.layers\\.(\\d{1,6})\\.mlp\\.experts\\.(gate_up_proj|down_proj)(" + BLOCKS + "|" + SCALES + ")?");

    private static final int BLOCK = StoredLayout.Microscaled.BLOCK;

    private final ModelConfig config;
    private final StoredTensors stored;

    private FusedExperts(ModelConfig config, StoredTensors stored) {
        this.config = config;
        this.stored = stored;
    }

    /** {@code stored} with each expert's matrices as tensors of their own. */
    public static StoredTensors apart(StoredTensors stored, ModelConfig config) {
        if (config.traits().mixture().isEmpty()
                || stored.names().stream().noneMatch(name -> FUSED.matcher(name).matches())) {
            return stored;
        }

        return stored.divided(new FusedExperts(config, stored)::parts);
    }

    /** Nothing of a tensor that stays whole. */
    private Optional<List<StoredTensor>> parts(StoredTensor tensor) {
        Matcher fused = FUSED.matcher(tensor.name());
        if (!fused.matches()) {
            return Optional.empty();
        }

        Fused of = new Fused(
                tensor, Integer.parseInt(fused.group(1)), fused.group(2).equals("down_proj"));
        if (!config.mixture().modules().alternates()) {
            return Optional.of(of.stacked());
        }

        if (SCALES.equals(fused.group(3))) {
            return Optional.of(List.of()); // read beside the blocks
        }

        return Optional.of(BLOCKS.equals(fused.group(3)) ? of.microscaled() : of.interleaved());
    }

    /** A tensor of all experts of a layer. */
    private final class Fused {
        private final StoredTensor tensor;
        private final int layer;
        private final List<ExpertMatrix> matrices;
        private final ProjectionShape shape;

        Fused(StoredTensor tensor, int layer, boolean down) {
            this.tensor = tensor;
            this.layer = layer;
            this.matrices = down ? List.of(ExpertMatrix.DOWN) : List.of(ExpertMatrix.GATE, ExpertMatrix.UP);
            this.shape = matrices.get(0).shape(config);
        }

        /** @param index of the matrix among those of the tensor
         * @param expert of which it is */
        private interface Parts {
            StoredTensor of(TensorSpec spec, int index, int expert);
        }

        private List<StoredTensor> stacked() {
            requireShape(tensor, outputs(), shape.inputs());
            return each(
                    tensor.type(),
                    (spec, index, expert) -> tensor.part(
                            spec, ((long) expert * matrices.size() + index) * shape.elements(), StoredLayout.ROWS));
        }

        private List<StoredTensor> interleaved() {
            requireShape(tensor, shape.inputs(), outputs());
            StoredLayout layout = new StoredLayout.Strided(matrices.size(), outputs());
            return each(
                    tensor.type(),
                    (spec, index, expert) ->
                            tensor.part(spec, (long) expert * matrices.size() * shape.elements() + index, layout));
        }

        private List<StoredTensor> microscaled() {
            String name = tensor.name().substring(0, tensor.name().length() - BLOCKS.length());
            StoredTensor scales = stored.tensor(name + SCALES);
            requireShape(tensor, outputs(), shape.inputs() / BLOCK, BLOCK / 2);
            requireShape(scales, outputs(), shape.inputs() / BLOCK);
            requireBytes(tensor);
            requireBytes(scales);
            String scalesFile = String.valueOf(scales.file().getFileName());
            // either holds all numbers of MXFP4
            boolean wide = stored.tensor(name + BIAS).type() == StoredType.F32;
            return each(wide ? StoredType.F32 : StoredType.BF16, (spec, index, expert) -> {
                long from = (long) expert * matrices.size() * shape.elements() + (long) index * shape.inputs();
                StoredLayout layout =
                        new StoredLayout.Microscaled(scalesFile, scales.position() + from / BLOCK, matrices.size());
                return tensor.part(spec, from / 2, layout);
            });
        }

        private long outputs() {
            return (long) matrices.size() * shape.outputs();
        }

        private List<StoredTensor> each(StoredType type, Parts parts) {
            List<StoredTensor> all = new ArrayList<>();
            for (int expert = 0; expert < config.mixture().experts(); expert++) {
                for (int index = 0; index < matrices.size(); index++) {
                    String name = matrices.get(index).weight(layer, expert);
                    all.add(parts.of(TensorSpec.of(name, type, shape.outputs(), shape.inputs()), index, expert));
                }
            }

            return all;
        }

        private void requireShape(StoredTensor found, long... ofExpert) {
            long[] expected = new long[ofExpert.length + 1];
            expected[0] = config.mixture().experts();
            System.arraycopy(ofExpert, 0, expected, 1, ofExpert.length);
            if (!Arrays.equals(found.shape(), expected)) {
                throw new InvalidWeightsException("Cannot read %s of %s: expected shape %s, found %s"
                        .formatted(
                                found.name(), found.file(), Arrays.toString(expected), Arrays.toString(found.shape())));
            }
        }

        private void requireBytes(StoredTensor found) {
            if (found.type() != StoredType.U8 || shape.inputs() % BLOCK != 0) {
                throw new InvalidWeightsException(
                        "Cannot read %s of %s as MXFP4: expected bytes, and rows of a multiple of %d numbers, found %s, and rows of %d"
                                .formatted(found.name(), found.file(), BLOCK, found.type(), shape.inputs()));
            }
        }
    }
}
