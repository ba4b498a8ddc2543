package org.sparkqlora.model.deltanet;

import org.sparkqlora.weights.family.DeltaNetShape;

/** A layer of the gated delta rule between its projections, token by token in plain Java and float64: one document, from its first token. */
final class RecurrentTwin {
    private static final double LENGTH_EPSILON = 1e-6;

    private final DeltaNetShape shape;
    private final double epsilon;
    private final double[][] in; // those of DeltaInputs.all, row-major

    RecurrentTwin(DeltaNetShape shape, double epsilon, double[][] in) {
        this.shape = shape;
        this.epsilon = epsilon;
        this.in = in;
    }

    /** The output of {@code length} tokens from row {@code start} on, (length, value width). */
    double[] output(int start, int length) {
        double[] output = new double[length * shape.valueWidth()];
        for (int head = 0; head < shape.valueHeads(); head++) {
            double[][] state = new double[shape.keySize()][shape.valueSize()];
            for (int token = 0; token < length; token++) {
                double[] read = step(state, head, start, start + token);
                gate(read, head, start + token);
                System.arraycopy(read, 0, output, token * shape.valueWidth() + head * shape.valueSize(), read.length);
            }
        }

        return output;
    }

    private double[] step(double[][] state, int head, int first, int row) {
        int keyHead = head / (shape.valueHeads() / shape.keyHeads());
        double[] query = unit(convolved(keyHead * shape.keySize(), shape.keySize(), first, row));
        double[] key = unit(convolved(shape.keyWidth() + keyHead * shape.keySize(), shape.keySize(), first, row));
        double[] value = convolved(2 * shape.keyWidth() + head * shape.valueSize(), shape.valueSize(), first, row);
        int scalar = row * shape.valueHeads() + head;
        double decay = Math.exp(-Math.exp(in[6][head]) * Math.log1p(Math.exp(in[3][scalar] + in[5][head])));
        double beta = sigmoid(in[2][scalar]);
        double[] read = new double[shape.valueSize()];
        for (int v = 0; v < read.length; v++) {
            double answer = 0;
            for (int k = 0; k < key.length; k++) {
                state[k][v] *= decay;
                answer += key[k] * state[k][v];
            }

            for (int k = 0; k < key.length; k++) {
                state[k][v] += key[k] * beta * (value[v] - answer);
                read[v] += query[k] / Math.sqrt(query.length) * state[k][v];
            }
        }

        return read;
    }

    private double[] convolved(int channel, int count, int first, int row) {
        double[] values = new double[count];
        for (int i = 0; i < count; i++) {
            double sum = 0;
            for (int lag = 0; lag < shape.kernel() && row - lag >= first; lag++) {
                double weight = in[4][(channel + i) * shape.kernel() + shape.kernel() - 1 - lag];
                sum += weight * in[0][(row - lag) * shape.channels() + channel + i];
            }

            values[i] = sum * sigmoid(sum);
        }

        return values;
    }

    private static double[] unit(double[] values) {
        double squares = LENGTH_EPSILON;
        for (double value : values) {
            squares += value * value;
        }

        for (int i = 0; i < values.length; i++) {
            values[i] /= Math.sqrt(squares);
        }

        return values;
    }

    private void gate(double[] read, int head, int row) {
        double squares = 0;
        for (double value : read) {
            squares += value * value;
        }

        double factor = 1 / Math.sqrt(squares / read.length + epsilon);
        for (int v = 0; v < read.length; v++) {
            double z = in[1][row * shape.valueWidth() + head * shape.valueSize() + v];
            read[v] *= factor * in[7][v] * z * sigmoid(z);
        }
    }

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }
}
