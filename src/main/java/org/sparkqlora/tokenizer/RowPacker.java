package org.sparkqlora.tokenizer;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.sparkqlora.input.BadInputException;

/**
 * Packs documents into rows of one width by best fit, longest first; the same examples always give the same rows.
 *
 * <p>A document is never split. One that is longer than a row is cut to the row's width.
 */
public final class RowPacker {
    private RowPacker() {}

    /** Rows that together hold every example once. */
    public static List<TokenRow> pack(List<EncodedExample> examples, int width) {
        requireWidth(width);
        List<EncodedExample> longestFirst = examples.stream()
                .map(example -> example.truncatedTo(width))
                .sorted(Comparator.comparingInt(EncodedExample::length).reversed())
                .toList();
        List<List<EncodedExample>> rows = new ArrayList<>();
        TreeMap<Integer, Deque<List<EncodedExample>>> open = new TreeMap<>();
        for (EncodedExample example : longestFirst) {
            place(example, width, rows, open);
        }

        return rows.stream().map(documents -> TokenRow.of(documents, width)).toList();
    }

    /** A row of its own for one example. */
    public static TokenRow single(EncodedExample example, int width) {
        requireWidth(width);
        return TokenRow.of(List.of(example.truncatedTo(width)), width);
    }

    /** Puts {@code example} into the fullest row with room for it; among equals, into the one that waits longest. */
    private static void place(
            EncodedExample example,
            int width,
            List<List<EncodedExample>> rows,
            TreeMap<Integer, Deque<List<EncodedExample>>> openByRoom) {
        Map.Entry<Integer, Deque<List<EncodedExample>>> best = openByRoom.ceilingEntry(example.length());
        List<EncodedExample> row;
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

        row.add(example);
        openByRoom
                .computeIfAbsent(room - example.length(), key -> new ArrayDeque<>())
                .add(row);
    }

    private static void requireWidth(int width) {
        if (width < 2) {
            throw new BadInputException(
                    "Cannot pack rows of width %d: expected at least 2, a token and the one it predicts"
                            .formatted(width));
        }
    }
}
