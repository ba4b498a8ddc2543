package org.sparkqlora.spark.prepare;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.tensor.ScratchFile;
import org.sparkqlora.tokenizer.EncodedExample;

/**
 * The examples of a group: the first ones in memory, those beyond a number of tokens in a scratch file, so that a group of long documents
 * needs no more memory than one of short ones.
 */
final class GroupExamples implements AutoCloseable {
    /** Tokens in memory: 20 MB. */
    static final long MOST_TOKENS = 1 << 22;

    private static final int BYTES_A_TOKEN = Integer.BYTES + 1;

    private final Supplier<ScratchFile> scratch;
    private final long mostTokens;
    private final List<EncodedExample> held = new ArrayList<>();
    private final List<Integer> lengths = new ArrayList<>();
    private final List<double[]> values = new ArrayList<>();
    private final List<Long> places = new ArrayList<>(); // in the file, of those that are not held
    private @Nullable ScratchFile file;
    private long end; // of the file
    private long tokens;
    private long trained;

    /**
     * @param scratch makes an empty file
     * @param mostTokens in memory
     */
    GroupExamples(Supplier<ScratchFile> scratch, long mostTokens) {
        this.scratch = scratch;
        this.mostTokens = mostTokens;
    }

    /** Adds an example of some documents, each example of as many, and its values. */
    void add(List<EncodedExample> documents, double... numbers) {
        documents.forEach(this::addDocument);
        values.add(numbers);
    }

    private void addDocument(EncodedExample example) {
        lengths.add(example.length());
        tokens += example.length();
        trained += example.trainedTokens();
        if (tokens <= mostTokens) {
            held.add(example);
        } else {
            spill(example);
        }
    }

    /** A document. */
    EncodedExample get(int number) {
        return number < held.size() ? held.get(number) : read(places.get(number - held.size()), lengths.get(number));
    }

    /** The count of examples. */
    int size() {
        return values.size();
    }

    /** The values of an example. */
    double[] values(int example) {
        return values.get(example);
    }

    /** Tokens of each document. */
    List<Integer> lengths() {
        return Collections.unmodifiableList(lengths);
    }

    long tokens() {
        return tokens;
    }

    long trainedTokens() {
        return trained;
    }

    private void spill(EncodedExample example) {
        ByteBuffer bytes = ByteBuffer.allocate(BYTES_A_TOKEN * example.length());
        for (int id : example.ids()) {
            bytes.putInt(id);
        }

        for (boolean target : example.trained()) {
            bytes.put((byte) (target ? 1 : 0));
        }

        places.add(end);
        file().write(end, bytes.flip());
        end += bytes.capacity();
    }

    private EncodedExample read(long place, int length) {
        ByteBuffer bytes = ByteBuffer.allocate(BYTES_A_TOKEN * length);
        file().read(place, bytes);
        bytes.flip();
        int[] ids = new int[length];
        bytes.asIntBuffer().get(ids);
        boolean[] targets = new boolean[length];
        for (int t = 0; t < length; t++) {
            targets[t] = bytes.get(Integer.BYTES * length + t) != 0;
        }

        return new EncodedExample(ids, targets);
    }

    private ScratchFile file() {
        ScratchFile made = file == null ? scratch.get() : file;
        file = made;
        return made;
    }

    @Override
    public void close() {
        if (file != null) {
            file.close();
        }
    }
}
