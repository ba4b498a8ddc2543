package org.sparkqlora.weights.gguf;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/** Reads the header of a GGUF file: magic, version, counts, metadata, tensors. */
record GgufHeader(Path path, GgufCursor in, long size) {
    private static final int MAGIC = 0x46554747;
    private static final List<Integer> VERSIONS = List.of(2, 3);
    private static final int LEAST_BYTES_A_VALUE = 8 + 4 + 1;
    private static final int LEAST_BYTES_A_TENSOR = 8 + 4 + 4 + 8;
    private static final int LEAST_BYTES_A_TEXT = 8;
    private static final int MOST_DIMENSIONS = 4;
    private static final int TEXT = 8;
    private static final int LIST = 9;
    private static final long DEFAULT_ALIGNMENT = 32;

    GgufFile read() throws IOException {
        int magic = in.int32();
        if (magic != MAGIC) {
            throw in.wrong(0, "the letters GGUF", "0x%08x. Is it a .gguf file?".formatted(magic));
        }

        int version = in.int32();
        if (!VERSIONS.contains(version)) {
            throw in.wrong(4, "version 2 or 3, little endian", version);
        }

        int tensors = in.count("the list of tensors", LEAST_BYTES_A_TENSOR);
        int values = in.count("the metadata", LEAST_BYTES_A_VALUE);
        GgufMetadata metadata = metadata(values);
        return new GgufFile(path, metadata, placed(tensors(tensors), alignment(metadata)));
    }

    private GgufMetadata metadata(int count) throws IOException {
        Map<String, Object> values = new LinkedHashMap<>();
        for (int i = 0; i < count; i++) {
            long at = in.position();
            String key = in.text();
            if (values.put(key, value()) != null) {
                throw in.wrong(at, "each key once", key + " again");
            }
        }

        return new GgufMetadata(path.toString(), values);
    }

    private Object value() throws IOException {
        int type = in.int32();
        if (type == TEXT) {
            return in.text();
        }

        return type == LIST ? list(in.int32()) : GgufNumbers.read(in, type, 1).get(0);
    }

    private List<?> list(int elementType) throws IOException {
        if (elementType != TEXT) {
            return GgufNumbers.read(in, elementType, in.count("a list", GgufNumbers.bytesOf(elementType)));
        }

        int count = in.count("a list", LEAST_BYTES_A_TEXT);
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            texts.add(in.text());
        }

        return texts;
    }

    /** The tensors with positions counted from the start of the data. */
    private List<GgufTensor> tensors(int count) throws IOException {
        List<GgufTensor> tensors = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String name = in.text();
            long[] shape = shape(name);
            int code = in.int32();
            GgufType type = GgufType.of(code)
                    .orElseThrow(() ->
                            new InvalidWeightsException("Unsupported type %d of tensor %s in %s: expected one of %s"
                                    .formatted(code, name, path, Arrays.toString(GgufType.values()))));
            tensors.add(new GgufTensor(path, name, type, shape, in.int64()));
        }

        return tensors;
    }

    private long[] shape(String name) throws IOException {
        long at = in.position();
        int dimensions = in.int32();
        if (dimensions < 1 || dimensions > MOST_DIMENSIONS) {
            throw in.wrong(at, "1 to 4 dimensions of tensor " + name, dimensions);
        }

        long[] shape = new long[dimensions];
        long elements = 1;
        for (int i = dimensions - 1; i >= 0; i--) { // innermost first in the file
            shape[i] = in.int64();
            if (shape[i] < 1 || shape[i] > Long.MAX_VALUE / 8 / elements) {
                throw in.wrong(at, "a possible shape of tensor " + name, Long.toUnsignedString(shape[i]));
            }

            elements *= shape[i];
        }

        return shape;
    }

    private long alignment(GgufMetadata metadata) {
        String key = "general.alignment";
        if (!metadata.has(key)) {
            return DEFAULT_ALIGNMENT;
        }

        int alignment = metadata.count(key);
        if (Integer.bitCount(alignment) != 1) {
            throw metadata.wrong(key, "a power of two");
        }

        return alignment;
    }

    private Map<String, GgufTensor> placed(List<GgufTensor> tensors, long alignment) {
        long dataStart = (in.position() + alignment - 1) / alignment * alignment;
        Map<String, GgufTensor> placed = new LinkedHashMap<>();
        for (GgufTensor tensor : tensors) {
            long inner = tensor.shape()[tensor.shape().length - 1];
            if (inner % tensor.type().blockSize() != 0) {
                throw wrong(tensor, "rows of whole blocks of " + tensor.type().blockSize(), inner + " numbers");
            }

            long offset = tensor.position();
            if (offset < 0 || offset > size - dataStart - tensor.byteSize()) {
                throw wrong(
                        tensor,
                        String.format(Locale.ROOT, "%d bytes within the %d of the file", tensor.byteSize(), size),
                        "them from byte %s of the data on. Is the download complete?"
                                .formatted(Long.toUnsignedString(offset)));
            }

            GgufTensor at = new GgufTensor(path, tensor.name(), tensor.type(), tensor.shape(), dataStart + offset);
            if (placed.put(tensor.name(), at) != null) {
                throw wrong(tensor, "one tensor of that name", "another");
            }
        }

        return placed;
    }

    private InvalidWeightsException wrong(GgufTensor tensor, String expected, String found) {
        return new InvalidWeightsException(
                "Cannot read tensor %s of %s: expected %s, found %s".formatted(tensor.name(), path, expected, found));
    }
}
