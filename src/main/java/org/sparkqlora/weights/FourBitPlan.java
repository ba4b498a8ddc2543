package org.sparkqlora.weights;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.weights.FourBitPart.Piece;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.safetensors.StoredTensor;
import org.sparkqlora.weights.safetensors.StoredTensors;
import org.sparkqlora.weights.safetensors.TensorSpec;

/**
 * The files of a model in four bits: weights layer by layer, as many in a file as its length allows. It depends on the model, the format and
 * that length alone, never on how the original is cut or on who writes it.
 */
public record FourBitPlan(List<FourBitPart> parts) {
    private static final Pattern NUMBER = Pattern.compile("\\d+");

    public FourBitPlan {
        parts = List.copyOf(parts);
    }

    /** @param mostBytes of weights in a file; a weight that takes more has one of its own */
    public static FourBitPlan of(WeightFolder source, QuantSpec spec, long mostBytes) {
        if (mostBytes < 1) {
            throw new BadInputException("Cannot cut weights into files: expected at least 1 byte, found " + mostBytes);
        }

        FourBitFolder.requireTrained(source);
        Set<String> projections = Set.copyOf(DecoderTensors.of(source.config()).projections());
        List<List<Piece>> files = new ArrayList<>();
        List<Long> lengths = new ArrayList<>();
        for (String name : layerByLayer(source.names())) {
            Piece piece = piece(source.tensor(name), projections);
            long bytes = bytes(piece, spec);
            int last = files.size() - 1;
            if (files.isEmpty() || lengths.get(last) + bytes > mostBytes) {
                files.add(new ArrayList<>(List.of(piece)));
                lengths.add(bytes);
            } else {
                files.get(last).add(piece);
                lengths.set(last, lengths.get(last) + bytes);
            }
        }

        return named(files, lengths);
    }

    /** Whether a weight is in that file of the original. */
    public boolean reads(String file) {
        return parts.stream().anyMatch(part -> part.pieces().stream().anyMatch(piece -> piece.isIn(file)));
    }

    private static FourBitPlan named(List<List<Piece>> files, List<Long> lengths) {
        List<FourBitPart> parts = new ArrayList<>();
        for (List<Piece> pieces : files) {
            String name = files.size() == 1
                    ? StoredTensors.SINGLE_FILE
                    : String.format(Locale.ROOT, "model-%05d-of-%05d.safetensors", parts.size() + 1, files.size());
            parts.add(new FourBitPart(name, pieces, lengths.get(parts.size())));
        }

        return new FourBitPlan(parts);
    }

    private static Piece piece(StoredTensor tensor, Set<String> projections) {
        return new Piece(
                tensor.spec(),
                String.valueOf(tensor.file().getFileName()),
                tensor.position(),
                projections.contains(tensor.name()),
                tensor.layout());
    }

    private static long bytes(Piece piece, QuantSpec spec) {
        return piece.isProjection()
                ? FourBitFile.LONGEST_STATE
                        + FourBitFile.specsOf(piece.spec(), spec).stream()
                                .mapToLong(TensorSpec::byteSize)
                                .sum()
                : piece.spec().byteSize();
    }

    /** By name, numbers by their value. */
    private static List<String> layerByLayer(Set<String> names) {
        return names.stream()
                .sorted(Comparator.comparing(FourBitPlan::withLongNumbers).thenComparing(name -> name))
                .toList();
    }

    private static String withLongNumbers(String name) {
        Matcher numbers = NUMBER.matcher(name);
        return numbers.replaceAll(number ->
                "0".repeat(Math.max(0, 10 - number.group().length())) + number.group());
    }
}
