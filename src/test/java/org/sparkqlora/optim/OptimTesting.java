package org.sparkqlora.optim;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Random;
import org.jspecify.annotations.NullMarked;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;

/** Inputs and shortcuts that several tests of this package share. */
@NullMarked
final class OptimTesting {
    private OptimTesting() {}

    static OptimizerSpec spec(OptimizerKind kind) {
        return new OptimizerSpec(kind, 0.9, 0.999, 1e-8, 0.01);
    }

    static Optimizer create(OptimizerKind kind, Workers workers, long... sizes) {
        return Optimizers.create(spec(kind), sizes, workers);
    }

    static FlatVector normal(long seed, int length, double magnitude) {
        Random random = new Random(seed);
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) (magnitude * random.nextGaussian());
        }

        return FlatVector.of(values);
    }

    static float[] values(FlatVector vector) {
        float[] values = new float[(int) vector.length()];
        vector.read(0, values, 0, values.length);
        return values;
    }

    static byte[] saved(Optimizer optimizer) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            optimizer.save(new DataOutputStream(bytes));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to save to memory", e);
        }

        return bytes.toByteArray();
    }

    static void load(Optimizer optimizer, byte[] bytes) {
        try {
            optimizer.load(new DataInputStream(new ByteArrayInputStream(bytes)));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to load from memory", e);
        }
    }

    /** Takes steps 1 to {@code steps} with seeded gradients; returns the parameters. */
    static float[] train(Optimizer optimizer, int length, int steps) {
        FlatVector parameters = normal(1, length, 0.5);
        for (int step = 1; step <= steps; step++) {
            optimizer.step(parameters, normal(100 + step, length, 0.01), 0.5f, 1e-3, step);
        }

        return values(parameters);
    }
}
