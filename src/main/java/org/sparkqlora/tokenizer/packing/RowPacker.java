package org.sparkqlora.tokenizer.packing;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.tokenizer.EncodedExample;

/** Packs documents into rows of one width by best fit, longest first; the same lengths always give the same rows. */
public final class RowPacker {
    private RowPacker() {}

    /**
     * The documents of each row, by their place in {@code lengths}: each is in one row.
     *
     * @param lengths of the documents, none longer than a row
     * @param most documents of a row
     */
    public static List<List<Integer>> pack(List<Integer> lengths, int width, int most) {
        requireWidth(width);
        List<Integer> longestFirst = IntStream.range(0, lengths.size())
                .boxed()
                .sorted(Comparator.comparing(lengths::get, Comparator.reverseOrder()))
                .toList();
        List<List<Integer>> rows = new ArrayList<>();
        TreeMap<Integer, Deque<List<Integer>>> open = new TreeMap<>();
        for (int document : longestFirst) {
            place(document, lengths.get(document), width, most, rows, open);
        }

        return rows;
    }

    /** A row of its own for one example, cut to the row's width. */
    public static TokenRow single(EncodedExample example, int width) {
        requireWidth(width);
        return TokenRow.of(List.of(example.truncatedTo(width)), width);
    }

    /** Puts a document into the fullest row with room for it; among equals, into the one that waits longest. */
    private static void place(
            int document,
            int length,
            int width,
            int most,
            List<List<Integer>> rows,
            TreeMap<Integer, Deque<List<Integer>>> openByRoom) {
        Map.Entry<Integer, Deque<List<Integer>>> best = openByRoom.ceilingEntry(length);
        List<Integer> row;
        int room;
        if (best == null) {
            row = new ArrayList<>();
            room = width;
            rows.add(row);
        } else {
            row = best.getValue().removeFirst();
            room = best.getKey();
        }

        if (best != null && best.getValue().isEmpty()) {
            openByRoom.remove(room);
        }

        row.add(document);
        if (row.size() == most) {
            return;
        }

        openByRoom.computeIfAbsent(room - length, key -> new ArrayDeque<>()).add(row);
    }

    private static void requireWidth(int width) {
        if (width < 2) {
            throw new BadInputException(
                    "Cannot pack rows of width %d: expected at least 2, a token and the one it predicts"
                            .formatted(width));
        }
    }
}
