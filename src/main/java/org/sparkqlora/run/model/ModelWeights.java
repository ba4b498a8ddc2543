package org.sparkqlora.run.model;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.options.ModelAddress;
import org.sparkqlora.options.ModelPath;
import org.sparkqlora.options.Problems;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.weights.WeightFolder;

/**
 * The weights of a model, to be looked at from a notebook, where an array of bytes crosses whole and a list does not. Driver only.
 */
public final class ModelWeights implements AutoCloseable {
    private final WeightFolder folder;
    private final Workers workers = new Workers(Runtime.getRuntime().availableProcessors());

    private ModelWeights(WeightFolder folder) {
        this.folder = folder;
    }

    /** Opens what {@code --model} names; what must be copied or converted goes to the default of {@code --model-cache}. */
    public static ModelWeights open(String model) {
        Location address = new ModelAddress().convert(model);
        Problems problems = new Problems();
        ModelPath.check(problems, "model", address);
        if (!problems.all().isEmpty()) {
            throw new BadInputException(problems.all().get(0));
        }

        return new ModelWeights(WeightFolder.open(ModelPath.folder(address, ModelCache.ofUser())));
    }

    /** In the order of the files. */
    public List<String> names() {
        return List.copyOf(folder.names());
    }

    public List<Long> shape(String name) {
        return Arrays.stream(folder.shapeOf(require(name))).boxed().toList();
    }

    /** The weight as float32, little endian, rows first. */
    public byte[] values(String name) {
        FloatSource source = source(name);
        float[] values = new float[Math.toIntExact(source.length())];
        source.read(0, values, values.length);
        return bytes(values);
    }

    /** The weight as training holds it. */
    public FourBitWeight quantized(String name, QuantSpec spec) {
        return FourBitWeight.of(source(name), spec, workers);
    }

    @Override
    public void close() {
        folder.close();
        workers.close();
    }

    static byte[] bytes(float[] values) {
        ByteBuffer buffer = ByteBuffer.allocate(Math.multiplyExact(values.length, Float.BYTES))
                .order(ByteOrder.LITTLE_ENDIAN);
        buffer.asFloatBuffer().put(values);
        return buffer.array();
    }

    private FloatSource source(String name) {
        if (folder.fourBit(require(name)).isPresent()) {
            throw new BadInputException(
                    "Cannot look at the values of %s in %s: expected a weight as it was trained, found one in 4 bits"
                            .formatted(name, folder.path()));
        }

        return folder.tensor(name).asFloats();
    }

    private String require(String name) {
        if (!folder.has(name)) {
            throw new BadInputException("Cannot find weight %s in %s: it has %d others, such as %s"
                    .formatted(
                            name,
                            folder.path(),
                            folder.names().size(),
                            folder.names().iterator().next()));
        }

        return name;
    }
}
